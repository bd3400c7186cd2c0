// What stands around every screen: where one is, who one is, how fresh all this is, and the keys.
import type { RefObject } from "preact";
import { signOut } from "./actions.ts";
import type { Format, Language } from "./format.ts";
import { gateway, heardMs, isOutOfReach, requests, session } from "./live.ts";
import type { TextKey } from "./nl.ts";
import { isOpenRequest } from "./request-order.ts";
import { hrefOf, type Route } from "./route.ts";
import { Sound } from "./sound.tsx";

export interface HeaderProps {
  readonly format: Format;
  readonly onLanguage: (language: Language) => void;
  readonly nowMs: number;
  readonly route: Route;
  /** Alerts that nobody acknowledged. */
  readonly unseen: number;
}

const TITLES = {
  overview: "overview",
  point: "overview",
  requests: "requests",
  notices: "notices",
  entry: "entryTitle",
} as const;

/** The screens, and how much waits on each. */
function Navigation({ format, route, unseen }: Pick<HeaderProps, "format" | "route" | "unseen">) {
  const open = [...requests.value.values()].filter(isOpenRequest).length;
  const undelivered = gateway.value?.notify?.undelivered ?? 0;
  const screens = [
    { to: "overview", name: "overview", count: unseen, what: "unacknowledgedN" },
    { to: "requests", name: "requests", count: open, what: "requestsOpenN" },
    { to: "notices", name: "notices", count: undelivered, what: "undeliveredN" },
    { to: "entry", name: "entryTitle", count: 0, what: "entryTitle" },
  ] as const;
  return (
    <nav aria-label={format.text("product")}>
      {screens.map(({ to, name, count, what }) => (
        <a key={to} href={hrefOf({ kind: to })} aria-current={route.kind === to ? "page" : undefined}>
          {format.text(name)}
          {count > 0 && (
            <b class="badge">
              {count}
              <span class="vh">{` ${format.text(what)}`}</span>
            </b>
          )}
        </a>
      ))}
    </nav>
  );
}

export function ScreenHeader({ format, onLanguage, nowMs: now, route, unseen }: HeaderProps) {
  return (
    <header>
      <h1>
        {format.text("product")} <span class="vh">: {format.text(TITLES[route.kind])}</span>
      </h1>
      <Navigation format={format} route={route} unseen={unseen} />
      <div class="right">
        <Sound format={format} />
        <span class="person">{`${session.value?.name ?? ""} · ${session.value?.role ?? ""}`}</span>
        <span>
          <button
            type="button"
            class="link"
            aria-pressed={format.language === "nl"}
            onClick={() => onLanguage("nl")}
            lang="nl"
            title="Nederlands"
          >
            NL
          </button>
          <button
            type="button"
            class="link"
            aria-pressed={format.language === "en"}
            onClick={() => onLanguage("en")}
            lang="en"
            title="English"
          >
            EN
          </button>
        </span>
        <button type="button" class="link" onClick={() => void signOut()}>
          {format.text("signOut")}
        </button>
        <span class="clock">{format.moment(now)}</span>
      </div>
    </header>
  );
}

/** How old the copy is from which a spare can take over; nothing where none is configured. */
function copyWords(format: Format): string {
  const copy = gateway.value?.copy;
  if (copy === undefined) return "";
  const time = copy.lastAt === undefined ? "–" : format.clock(Date.parse(copy.lastAt));
  const words = copy.state === "failing" ? "copyFailing" : copy.sameDisk === true ? "copyOnSameDisk" : "copyOf";
  return `${format.text(words, { time })} · `;
}

/** The keys that do something on this screen. */
const FOOTER_KEYS: Readonly<Record<Route["kind"], readonly (readonly [readonly string[], TextKey])[]>> = {
  overview: [
    [["J", "K"], "keysMove"],
    [["Enter"], "openPoint"],
    [["B"], "keysAck"],
    [["I"], "enterKey"],
  ],
  point: [
    [["I"], "enterKey"],
    [["B"], "keysAck"],
    [["Esc"], "backKey"],
  ],
  requests: [[["Esc"], "backKey"]],
  notices: [[["Esc"], "backKey"]],
  entry: [[["Esc"], "backKey"]],
};

export function ScreenFooter({ format, route }: { format: Format; route: Route }) {
  return (
    <footer>
      {[...FOOTER_KEYS[route.kind], [["?"], "keysHelp"] as const].map(([keys, text]) => (
        <span key={text} class="keys">
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}{" "}
          {format.text(text)}
        </span>
      ))}
      <span class="freshness">
        {copyWords(format)}
        {isOutOfReach.value ? format.text("unreachableShort") : format.text("connected")} ·{" "}
        {format.text("dataOf", { time: format.seconds(heardMs.value) })}
      </span>
    </footer>
  );
}

const KEYS = [
  ["J / K", "keysMove"],
  ["Enter", "openPoint"],
  ["I", "enterKey"],
  ["Esc", "backKey"],
  ["B", "keysAck"],
  ["R", "keysSort"],
  ["A", "keysAll"],
  ["/", "keysSearch"],
  ["?", "keysHelp"],
] as const;

export function KeysDialog({ format, dialog }: { format: Format; dialog: RefObject<HTMLDialogElement | null> }) {
  return (
    <dialog ref={dialog} aria-labelledby="keys-title">
      <h2 id="keys-title">{format.text("keysTitle")}</h2>
      <ul>
        {KEYS.map(([key, text]) => (
          <li key={key}>
            <kbd>{key}</kbd> {format.text(text)}
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => dialog.current?.close()}>
        {format.text("close")}
      </button>
    </dialog>
  );
}
