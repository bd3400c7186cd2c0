// Single keys for people who work on this screen all night; off while a text is being typed.
import { useEffect } from "preact/hooks";

export interface KeyActions {
  move(step: 1 | -1): void;
  acknowledge(): void;
  sort(): void;
  all(): void;
  search(): void;
  help(): void;
  /** Opens what is selected; false when nothing is, so that Enter stays Enter. */
  open(): boolean;
  enter(): void;
  back(): void;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}

export function useKeys(actions: KeyActions): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      const run: Readonly<Record<string, () => void>> = {
        j: () => actions.move(1),
        ArrowDown: () => actions.move(1),
        k: () => actions.move(-1),
        ArrowUp: () => actions.move(-1),
        b: actions.acknowledge,
        r: actions.sort,
        a: actions.all,
        "/": actions.search,
        "?": actions.help,
        i: actions.enter,
      };
      // A dialog and the list of a field close themselves.
      if (event.key === "Escape" && document.querySelector("dialog[open]") === null) actions.back();
      if (event.key === "Enter" && actions.open()) event.preventDefault();
      const action = run[event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}
