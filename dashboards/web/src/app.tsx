// Which screen there is, from the address, and the live picture under it.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Alert, GatewayState } from "../../../protocol/schema/index.ts";
import { AlertList } from "./alert-list.tsx";
import { axisOf } from "./bars.ts";
import { EnduranceTable } from "./endurance-table.tsx";
import { EntryForm } from "./entry-form.tsx";
import { createFormat, type Format, type Language } from "./format.ts";
import { useKeys } from "./keys.ts";
import { alerts, gateway, goLive, heardMs, isOutOfReach, nowMs, points, requests, session, whoAmI } from "./live.ts";
import { NoticePage } from "./notice-list.tsx";
import { alertOrder, isUnseen } from "./order.ts";
import { PointPage } from "./point-page.tsx";
import { RequestPage } from "./request-list.tsx";
import { followAddress, goTo, type Route, route } from "./route.ts";
import { KeysDialog, ScreenFooter, ScreenHeader } from "./screen-frame.tsx";
import { SignIn } from "./sign-in.tsx";
import { Tiles } from "./tiles.tsx";

const LANGUAGE_KEY = "waakvlam-language";
/** Words of a new critical alert are spoken at most this often. */
const SPEAK_MS = 10_000;

function storedLanguage(): Language {
  return localStorage.getItem(LANGUAGE_KEY) === "en" ? "en" : "nl";
}

export function App() {
  const [language, setLanguage] = useState<Language>(storedLanguage);
  const [isReady, setReady] = useState(false);
  const format = createFormat(language);
  useEffect(() => {
    followAddress();
    void whoAmI().then(() => setReady(true));
  }, []);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(LANGUAGE_KEY, language);
  }, [language]);
  if (!isReady) return <main class="sign-in">{format.text("loading")}</main>;
  if (session.value === undefined) return <SignIn format={format} />;
  return <Screen format={format} onLanguage={setLanguage} />;
}

let isLive = false;

/** Moves the focus to the next row as it stands on the screen; gives its point. */
function moveFocus(step: 1 | -1): string | undefined {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-point]")];
  const at = rows.findIndex((row) => row.classList.contains("selected"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  return next?.dataset["point"];
}

function Screen({ format, onLanguage }: { format: Format; onLanguage: (language: Language) => void }) {
  const help = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!isLive) goLive();
    isLive = true;
  }, []);
  const openAlerts = [...alerts.value.values()];
  const state = gateway.value;
  const here = route.value;
  const unseen = openAlerts.filter(isUnseen).length;
  const title = titleOf(here, format);
  useEffect(() => {
    document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${title} – ${format.text("product")}`;
  }, [unseen, title, format.language]);
  if (state === undefined)
    return <main class="sign-in">{format.text(isOutOfReach.value ? "unreachableShort" : "loading")}</main>;
  const now = isOutOfReach.value ? heardMs.value : nowMs.value;
  return (
    <div class={`screen on-${here.kind}${isOutOfReach.value ? " out-of-reach" : ""}`}>
      {isOutOfReach.value && (
        <div class="notice" role="alert">
          {format.text("unreachable", { time: format.seconds(heardMs.value) })}
        </div>
      )}
      <ScreenHeader format={format} onLanguage={onLanguage} nowMs={now} route={here} unseen={unseen} />
      {here.kind === "overview" && (
        <Overview
          state={state}
          alerts={openAlerts}
          now={now}
          format={format}
          onHelp={() => help.current?.showModal()}
        />
      )}
      {here.kind !== "overview" && (
        <Page
          here={here}
          state={state}
          alerts={openAlerts}
          now={now}
          format={format}
          onHelp={() => help.current?.showModal()}
        />
      )}
      <Spoken format={format} />
      <ScreenFooter format={format} route={here} />
      <KeysDialog format={format} dialog={help} />
    </div>
  );
}

function titleOf(here: Route, format: Format): string {
  if (here.kind === "point") return points.value.get(here.pointId)?.name ?? here.pointId;
  if (here.kind === "requests") return format.text("requestsTitle");
  if (here.kind === "notices") return format.text("noticesTitle");
  return format.text(here.kind === "entry" ? "entryTitle" : "overview");
}

interface ScreenProps {
  readonly state: GatewayState;
  readonly alerts: readonly Alert[];
  readonly now: number;
  readonly format: Format;
  readonly onHelp: () => void;
}

/** Kept while other screens are open, so that back is back to the same row. */
const selectedPoint = signal<string | undefined>(undefined);

function Overview({ state, alerts: openAlerts, now, format, onHelp }: ScreenProps) {
  const [showAll, setShowAll] = useState(false);
  const [search, setSearch] = useState("");
  const [selectedAlert, setSelectedAlert] = useState<string | undefined>(undefined);
  const [sortAsked, setSortAsked] = useState(0);
  const list = [...points.value.values()];
  const select = (pointId: string | undefined) => {
    selectedPoint.value = pointId;
  };
  useEffect(() => {
    const id = selectedPoint.value;
    if (id !== undefined) document.querySelector<HTMLElement>(`[data-point="${CSS.escape(id)}"]`)?.focus();
  }, []);
  useKeys({
    move: (step) => select(moveFocus(step)),
    acknowledge,
    sort: () => setSortAsked(sortAsked + 1),
    all: () => setShowAll(!showAll),
    search: () => document.querySelector<HTMLInputElement>("#search")?.focus(),
    help: onHelp,
    open: () => {
      const pointId = (document.activeElement as HTMLElement | null)?.dataset["point"];
      if (pointId !== undefined) goTo({ kind: "point", pointId });
      return pointId !== undefined;
    },
    enter: () => {
      const pointId = document.activeElement?.closest<HTMLElement>("[data-point]")?.dataset["point"];
      goTo({ kind: "entry", ...(pointId === undefined ? {} : { pointId }) });
    },
    back: () => setSearch(""),
  });
  return (
    <>
      <Tiles gateway={state} points={list} alerts={openAlerts} nowMs={now} format={format} />
      <main>
        <EnduranceTable
          points={list}
          axis={axisOf(state, now)}
          format={format}
          showAll={showAll}
          onShowAll={setShowAll}
          selected={selectedPoint.value}
          onSelect={select}
          search={search}
          onSearch={setSearch}
          sortAsked={sortAsked}
          onSort={() => setSortAsked(sortAsked + 1)}
        />
        {session.value !== undefined && (
          <AlertList
            alerts={openAlerts}
            session={session.value}
            nowMs={now}
            format={format}
            selected={selectedAlert}
            onSelect={setSelectedAlert}
          />
        )}
      </main>
    </>
  );
}

function acknowledge(): void {
  document.querySelector<HTMLButtonElement>(".alert.selected > button:not(.alert-head)")?.click();
}

/** A point's page or the form; back is the overview, or the point that the form was opened from. */
function Page({
  here,
  state,
  alerts: openAlerts,
  now,
  format,
  onHelp,
}: ScreenProps & { here: Exclude<Route, { kind: "overview" }> }) {
  const nothing = () => undefined;
  const shown = here.kind === "point" ? here.pointId : undefined;
  useEffect(() => {
    if (shown !== undefined) selectedPoint.value = shown;
  }, [shown]);
  useKeys({
    move: nothing,
    acknowledge,
    sort: nothing,
    all: nothing,
    search: nothing,
    help: onHelp,
    open: () => false,
    enter: () => {
      if (here.kind === "point") goTo({ kind: "entry", pointId: here.pointId });
    },
    back: () =>
      goTo(
        here.kind === "entry" && here.pointId !== undefined
          ? { kind: "point", pointId: here.pointId }
          : { kind: "overview" },
      ),
  });
  const person = session.value;
  if (person === undefined) return null;
  if (here.kind === "entry")
    return <EntryForm points={[...points.value.values()]} session={person} opened={here} nowMs={now} format={format} />;
  if (here.kind === "requests")
    return (
      <RequestPage
        requests={[...requests.value.values()]}
        points={points.value}
        session={person}
        nowMs={now}
        format={format}
      />
    );
  if (here.kind === "notices") return <NoticePage gateway={state} session={person} nowMs={now} format={format} />;
  return (
    <PointPage
      requests={[...requests.value.values()]}
      point={points.value.get(here.pointId)}
      pointId={here.pointId}
      gateway={state}
      alerts={openAlerts.filter(({ subject }) => (subject.pointId ?? subject.id) === here.pointId)}
      session={person}
      nowMs={now}
      format={format}
    />
  );
}

/** Says new alerts to a screen reader: politely, a critical one at once, and not more often than one can listen. */
function Spoken({ format }: { format: Format }) {
  const known = useRef(new Set<string>());
  const last = useRef({ text: "", isCritical: false, at: 0 });
  const fresh = [...alerts.value.values()]
    .filter((alert) => alert.state === "unacknowledged" && !known.current.has(alert.alertId))
    .sort(alertOrder);
  const first = fresh[0];
  if (first !== undefined && nowMs.value - last.current.at > SPEAK_MS) {
    for (const alert of fresh) known.current.add(alert.alertId);
    const text = `${first.text[format.language].what}, ${first.subject.name}${fresh.length > 1 ? ` (+${fresh.length - 1})` : ""}`;
    last.current = { text, isCritical: first.priority === 1, at: nowMs.value };
  }
  const { text, isCritical } = last.current;
  return (
    <>
      <div class="vh" aria-live="polite">
        {isCritical ? "" : text}
      </div>
      <div class="vh" aria-live="assertive">
        {isCritical ? text : ""}
      </div>
    </>
  );
}
