// The Toestand screen, from the live picture.
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { signOut } from "./actions.ts";
import { AlertList } from "./alert-list.tsx";
import { axisOf } from "./bars.ts";
import { EnduranceTable } from "./endurance-table.tsx";
import { createFormat, type Format, type Language } from "./format.ts";
import { useKeys } from "./keys.ts";
import { alerts, gateway, goLive, heardMs, isOutOfReach, nowMs, points, session, whoAmI } from "./live.ts";
import { alertOrder } from "./order.ts";
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
  const [showAll, setShowAll] = useState(false);
  const [search, setSearch] = useState("");
  const [selectedPoint, setSelectedPoint] = useState<string | undefined>(undefined);
  const [selectedAlert, setSelectedAlert] = useState<string | undefined>(undefined);
  const [sortAsked, setSortAsked] = useState(0);
  const help = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (!isLive) goLive();
    isLive = true;
  }, []);
  const list = [...points.value.values()];
  const openAlerts = [...alerts.value.values()];
  const state = gateway.value;
  const unseen = openAlerts.filter((alert) => alert.state !== "acknowledged").length;
  useEffect(() => {
    document.title = `${unseen > 0 ? `(${unseen}) ` : ""}${format.text("overview")} – ${format.text("product")}`;
  }, [unseen, format.language]);
  useKeys({
    move: (step) => setSelectedPoint(moveFocus(step)),
    acknowledge: () => document.querySelector<HTMLButtonElement>(".alert.selected > button:not(.alert-head)")?.click(),
    sort: () => setSortAsked(sortAsked + 1),
    all: () => setShowAll(!showAll),
    search: () => document.querySelector<HTMLInputElement>("#search")?.focus(),
    help: () => help.current?.showModal(),
  });
  if (state === undefined)
    return <main class="sign-in">{format.text(isOutOfReach.value ? "unreachableShort" : "loading")}</main>;
  const now = isOutOfReach.value ? heardMs.value : nowMs.value;
  const axis = axisOf(state, now);
  return (
    <div class={`screen${isOutOfReach.value ? " out-of-reach" : ""}`}>
      {isOutOfReach.value && (
        <div class="notice" role="alert">
          {format.text("unreachable", { time: format.seconds(heardMs.value) })}
        </div>
      )}
      <ScreenHeader format={format} onLanguage={onLanguage} nowMs={now} />
      <Tiles gateway={state} points={list} alerts={openAlerts} nowMs={now} format={format} />
      <main>
        <EnduranceTable
          points={list}
          axis={axis}
          format={format}
          showAll={showAll}
          onShowAll={setShowAll}
          selected={selectedPoint}
          onSelect={setSelectedPoint}
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
      <Spoken format={format} />
      <ScreenFooter format={format} />
      <KeysDialog format={format} dialog={help} />
    </div>
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

function ScreenHeader({
  format,
  onLanguage,
  nowMs: now,
}: {
  format: Format;
  onLanguage: (language: Language) => void;
  nowMs: number;
}) {
  return (
    <header>
      <h1>
        {format.text("product")} <span class="vh">: {format.text("overview")}</span>
      </h1>
      <nav aria-label={format.text("overview")}>
        <a href="./" aria-current="page">
          {format.text("overview")}
        </a>
      </nav>
      <div class="right">
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

function ScreenFooter({ format }: { format: Format }) {
  return (
    <footer>
      <span class="keys">
        <kbd>J</kbd>
        <kbd>K</kbd> {format.text("keysMove")}
      </span>
      <span class="keys">
        <kbd>B</kbd> {format.text("keysAck")}
      </span>
      <span class="keys">
        <kbd>?</kbd> {format.text("keysHelp")}
      </span>
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
  ["B", "keysAck"],
  ["R", "keysSort"],
  ["A", "keysAll"],
  ["/", "keysSearch"],
  ["?", "keysHelp"],
] as const;

function KeysDialog({ format, dialog }: { format: Format; dialog: RefObject<HTMLDialogElement | null> }) {
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
