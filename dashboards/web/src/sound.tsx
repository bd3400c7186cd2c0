// The sound of critical alerts: off until a person allows it in this browser, with a test, and a mute that ends by itself.
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Format } from "./format.ts";
import { alerts, nowMs } from "./live.ts";
import { isDue, MUTE_MINUTES, mutedUntil } from "./sound-rule.ts";

const ON_KEY = "waakvlam-sound";
const MUTE_KEY = "waakvlam-sound-muted-until";
const MINUTE_MS = 60_000;
/** Two notes, three times: heard beside a generator, and not mistaken for a telephone. */
const NOTES_HZ = [880, 660];
const NOTE_S = 0.22;
const TIMES = 3;

const isOn = signal(localStorage.getItem(ON_KEY) === "on");
const untilMs = signal<number | undefined>(Number(localStorage.getItem(MUTE_KEY) ?? Number.NaN) || undefined);
/** A browser lets no page sound before somebody has touched it. */
const isBlocked = signal(isOn.value);
let lastMs = 0;
let audio: AudioContext | undefined;

async function wake(): Promise<void> {
  audio ??= new AudioContext();
  await audio.resume();
  isBlocked.value = audio.state !== "running";
}

function play(): void {
  if (audio === undefined || audio.state !== "running") return;
  const gain = audio.createGain();
  gain.gain.value = 0.35;
  gain.connect(audio.destination);
  for (let i = 0; i < NOTES_HZ.length * TIMES; i++) {
    const note = audio.createOscillator();
    note.type = "square";
    note.frequency.value = NOTES_HZ[i % NOTES_HZ.length] as number;
    note.connect(gain);
    const from = audio.currentTime + i * NOTE_S;
    note.start(from);
    note.stop(from + NOTE_S * 0.9);
  }
}

function turn(on: boolean): void {
  isOn.value = on;
  localStorage.setItem(ON_KEY, on ? "on" : "off");
  if (on) void wake().then(play);
  else muteUntil(undefined);
}

function muteUntil(ms: number | undefined): void {
  untilMs.value = ms;
  if (ms === undefined) localStorage.removeItem(MUTE_KEY);
  else localStorage.setItem(MUTE_KEY, String(ms));
}

function useSounding(): void {
  useEffect(() => {
    const touched = () => {
      if (isOn.value && isBlocked.value) void wake();
    };
    document.addEventListener("pointerdown", touched);
    document.addEventListener("keydown", touched);
    const end = effect(() => {
      const now = nowMs.value;
      if (!isOn.value || !isDue(alerts.value.values(), { nowMs: now, lastMs, untilMs: untilMs.value })) return;
      lastMs = now;
      play();
    });
    return () => {
      end();
      document.removeEventListener("pointerdown", touched);
      document.removeEventListener("keydown", touched);
    };
  }, []);
}

function stateWords(format: Format): string {
  const until = mutedUntil(untilMs.value, nowMs.value);
  if (!isOn.value) return format.text("soundOff");
  if (isBlocked.value) return format.text("soundBlocked");
  return until === undefined ? format.text("soundOn") : format.text("soundMuted", { time: format.clock(until) });
}

export function Sound({ format }: { readonly format: Format }) {
  useSounding();
  const isMuted = mutedUntil(untilMs.value, nowMs.value) !== undefined;
  return (
    <details class="sound">
      <summary>{stateWords(format)}</summary>
      <div class="sound-panel">
        <p>{format.text("soundAbout")}</p>
        <div class="acts">
          <button type="button" class="secondary" aria-pressed={isOn.value} onClick={() => turn(!isOn.value)}>
            {format.text(isOn.value ? "soundStop" : "soundAllow")}
          </button>
          {isOn.value && (
            <button type="button" class="secondary" onClick={() => void wake().then(play)}>
              {format.text("soundTest")}
            </button>
          )}
        </div>
        {isOn.value && (
          <fieldset class="acts" aria-label={format.text("soundMuteFor")}>
            {MUTE_MINUTES.map((minutes) => (
              <button
                key={minutes}
                type="button"
                class="secondary"
                aria-label={`${format.text("soundMuteFor")}: ${format.text(`soundMute${minutes}`)}`}
                onClick={() => muteUntil(nowMs.value + minutes * MINUTE_MS)}
              >
                {format.text(`soundMute${minutes}`)}
              </button>
            ))}
            {isMuted && (
              <button type="button" class="secondary" onClick={() => muteUntil(undefined)}>
                {format.text("soundUnmute")}
              </button>
            )}
          </fieldset>
        )}
      </div>
    </details>
  );
}
