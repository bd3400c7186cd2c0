// A screen as a browser keeps it: one session, and a live stream that is opened again whenever it ends.

export interface Screen {
  /** When the newest stream that began after this moment showed its first picture, by `performance.now()`. */
  openedSince(afterMs: number): number | undefined;
  close(): void;
}

/** What EventSource waits before it comes back, as the gateway tells it. */
const RETRY_MS = 2_000;

export async function createScreen(url: string, name: string, password: string): Promise<Screen> {
  const signIn = await fetch(`${url}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  if (!signIn.ok) throw new Error(`sign-in: ${signIn.status}`);
  const cookie = (signIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const ending = new AbortController();
  let openedMs: number | undefined;

  async function watch(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        const answer = await fetch(`${url}/v1/stream`, { headers: { cookie }, signal: ending.signal });
        if (answer.ok && answer.body !== null) {
          let text = "";
          for await (const part of answer.body) {
            text = (text + Buffer.from(part).toString("utf8")).slice(-1_000_000);
            if (text.includes("event: overview")) {
              openedMs = performance.now();
              text = "";
            }
          }
        }
      } catch {
        // The gateway is away: that is what a screen waits out.
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  void watch();
  return {
    openedSince: (afterMs) => (openedMs !== undefined && openedMs > afterMs ? openedMs : undefined),
    close: () => ending.abort(),
  };
}
