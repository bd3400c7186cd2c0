// Who was told of what outside the screen, what did not arrive, which ways work, and the list to call from when none does.
import { useEffect, useId, useState } from "preact/hooks";
import type { GatewayState, Mute, Notice, Notices, Session } from "../../../protocol/schema/index.ts";
import { mute, noticesNow, type Outcome, unmute } from "./actions.ts";
import type { Format } from "./format.ts";
import { Mark } from "./marks.tsx";
import { attemptWords, recipientsIn, sortNotices } from "./notice-order.ts";
import { coded } from "./words.ts";

export interface NoticeListProps {
  readonly gateway: GatewayState;
  readonly session: Session;
  readonly nowMs: number;
  readonly format: Format;
}

const REFRESH_MS = 5_000;
const HOUR_MS = 3_600_000;
const MUTE_HOURS = [1, 4, 8] as const;

function Message({ notice, nowMs, format }: { notice: Notice; nowMs: number; format: Format }) {
  const { createdAt, role, recipientId, reason, priority, headline, lines, state } = notice;
  const tried = attemptWords(notice, format);
  return (
    <li class={`request notice-${state}`}>
      <p class="request-head">
        <time dateTime={createdAt}>{format.age(nowMs - Date.parse(createdAt))}</time>
        <Mark kind={priority} format={format} />
        <strong>{format.text("noticeTo", { role, id: recipientId })}</strong>
        <span>{coded(format, "told", reason)}</span>
        <span class="request-state">{coded(format, "notice", state)}</span>
      </p>
      <p>{headline}</p>
      {lines.length > 1 && (
        <details>
          <summary>{format.text("noticeLines", { n: lines.length })}</summary>
          <ul class="request-steps">
            {lines.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
      {tried !== "" && <p class="sub">{tried}</p>}
    </li>
  );
}

function Group({
  title,
  notices,
  ...props
}: {
  title: string;
  notices: readonly Notice[];
  nowMs: number;
  format: Format;
}) {
  if (notices.length === 0) return null;
  return (
    <>
      <h3 class="sub-head">{title}</h3>
      <ul class="request-list">
        {notices.map((notice) => (
          <Message key={notice.noticeId} notice={notice} {...props} />
        ))}
      </ul>
    </>
  );
}

function Ways({ channels, format }: { channels: Notices["state"]["channels"]; format: Format }) {
  return (
    <>
      <h3 class="sub-head">{format.text("noticesWays")}</h3>
      <ul class="plain ways">
        {channels.map(({ channel, failing }) => (
          <li key={channel} class={failing === undefined ? "" : "request-late"}>
            {`${coded(format, "channel", channel)}: ${failing === undefined ? format.text("wayWorks") : format.text("wayFails", { reason: failing })}`}
          </li>
        ))}
      </ul>
    </>
  );
}

function useActs(onDone: () => void, format: Format) {
  const [problem, setProblem] = useState("");
  const act = async (work: Promise<Outcome>) => {
    const outcome = await work;
    if (outcome.kind === "done") onDone();
    setProblem(
      outcome.kind === "done" ? "" : format.text("failed", { what: outcome.what || format.text("unreachableShort") }),
    );
    return outcome.kind === "done";
  };
  return { problem, setProblem, act };
}

interface MutesProps extends NoticeListProps {
  readonly mutes: readonly Mute[];
  readonly recipients: readonly string[];
  readonly onDone: () => void;
}

function Mutes({ mutes, recipients, onDone, session, nowMs, format }: MutesProps) {
  const { problem, act } = useActs(onDone, format);
  const mayAct = session.role !== "viewer";
  return (
    <>
      {mutes.length > 0 && (
        <>
          <h3 class="sub-head">{format.text("mutesTitle")}</h3>
          <ul class="plain">
            {mutes.map(({ recipientId, until, by, reason }) => (
              <li key={recipientId}>
                {format.text("muteLine", {
                  ...{ id: recipientId, by, reason },
                  time: format.farMoment(Date.parse(until), nowMs),
                })}{" "}
                {mayAct && (
                  <button type="button" class="secondary" onClick={() => void act(unmute(recipientId))}>
                    {format.text("muteEnd")}
                    <span class="vh">{` (${recipientId})`}</span>
                  </button>
                )}
              </li>
            ))}
          </ul>
          {problem !== "" && (
            <p class="error" role="alert">
              {problem}
            </p>
          )}
        </>
      )}
      {mayAct && recipients.length > 0 && (
        <MuteForm recipients={recipients} onDone={onDone} nowMs={nowMs} format={format} />
      )}
    </>
  );
}

interface MuteFormProps {
  readonly recipients: readonly string[];
  readonly onDone: () => void;
  readonly nowMs: number;
  readonly format: Format;
}

function MuteForm({ recipients, onDone, nowMs, format }: MuteFormProps) {
  const id = useId();
  const [who, setWho] = useState(recipients[0] ?? "");
  const [hours, setHours] = useState<number>(MUTE_HOURS[0]);
  const [reason, setReason] = useState("");
  const { problem, setProblem, act } = useActs(onDone, format);
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (reason.trim().length < 3) return setProblem(format.text("actReasonShort"));
    const until = new Date(nowMs + hours * HOUR_MS).toISOString();
    if (await act(mute({ recipientId: who, until, reason: reason.trim() }))) setReason("");
  };
  return (
    <details class="ask">
      <summary>{format.text("muteTitle")}</summary>
      <p>{format.text("muteAbout")}</p>
      <form noValidate onSubmit={(event) => void onSubmit(event)}>
        <label for={`${id}-who`}>{format.text("muteWho")}</label>
        <select id={`${id}-who`} value={who} onChange={(event) => setWho(event.currentTarget.value)}>
          {recipients.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <label for={`${id}-hours`}>{format.text("muteFor")}</label>
        <select id={`${id}-hours`} value={hours} onChange={(event) => setHours(Number(event.currentTarget.value))}>
          {MUTE_HOURS.map((one) => (
            <option key={one} value={one}>
              {format.text("shelveHours", { n: one, time: format.moment(nowMs + one * HOUR_MS) })}
            </option>
          ))}
        </select>
        <label for={`${id}-reason`}>{format.text("actReason")}</label>
        <input
          id={`${id}-reason`}
          value={reason}
          maxLength={280}
          autocomplete="off"
          aria-invalid={problem === "" ? undefined : true}
          aria-describedby={problem === "" ? undefined : `${id}-problem`}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        {problem !== "" && (
          <p id={`${id}-problem`} class="error" role="alert">
            {problem}
          </p>
        )}
        <button type="submit" class="primary">
          {format.text("muteDo")}
        </button>
      </form>
    </details>
  );
}

/** What the gateway says of its messages, asked for again every few seconds. */
function useNotices(nowMs: number): { readonly found: Notices | "none" | undefined; readonly again: () => void } {
  const [found, setFound] = useState<Notices | "none" | undefined>(undefined);
  const [asked, setAsked] = useState(0);
  const turn = Math.floor(nowMs / REFRESH_MS);
  useEffect(() => {
    let isCurrent = true;
    void noticesNow().then((now) => {
      if (isCurrent) setFound((before) => now ?? before ?? "none");
    });
    return () => {
      isCurrent = false;
    };
  }, [turn, asked]);
  return { found, again: () => setAsked(asked + 1) };
}

export function NoticePage(props: NoticeListProps) {
  const { gateway, session, nowMs, format } = props;
  const { found, again } = useNotices(nowMs);
  useEffect(() => {
    document.getElementById("page-title")?.focus();
    window.scrollTo(0, 0);
  }, []);
  const known = found === undefined || found === "none" ? undefined : found;
  const { lost, underWay, done } = sortNotices(known?.notices ?? []);
  const common = { nowMs, format };
  return (
    <main class="page requests">
      <div class="point-head">
        <h2 id="page-title" tabIndex={-1}>
          {format.text("noticesTitle")}
        </h2>
        {session.role !== "viewer" && (
          <a href={`v1/call-list?language=${format.language}`} target="_blank" rel="noopener">
            {format.text("callList")}
          </a>
        )}
      </div>
      {known === undefined && <p>{format.text(found === "none" ? "notLoaded" : "loading")}</p>}
      {gateway.notify === undefined && <p>{format.text("noticesNobody")}</p>}
      {gateway.notify !== undefined && known?.notices.length === 0 && <p>{format.text("noticesNone")}</p>}
      <Group title={format.text("noticesLost", { n: lost.length })} notices={lost} {...common} />
      <Group title={format.text("noticesWaiting", { n: underWay.length })} notices={underWay} {...common} />
      {known !== undefined && known.state.channels.length > 0 && (
        <Ways channels={known.state.channels} format={format} />
      )}
      {known !== undefined && (
        <Mutes {...props} mutes={known.mutes} recipients={recipientsIn(known.notices)} onDone={again} />
      )}
      {done.length > 0 && (
        <details class="requests-closed">
          <summary>{format.text("noticesDone", { n: done.length })}</summary>
          <ul class="request-list">
            {done.map((notice) => (
              <Message key={notice.noticeId} notice={notice} {...common} />
            ))}
          </ul>
        </details>
      )}
    </main>
  );
}
