// One POST with a deadline for the whole of it, a bounded answer, and no redirects.
import { type Agent, type ClientRequest, type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Clock } from "./clock.ts";

/** Of an answer more is not kept: an error is told in a few words. */
export const ANSWER_BYTES_MAX = 65_536;

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/**
 * A page for people: of a firewall, a sign-in or a host that answers every address, often with status 200. Whoever it is, the
 * receiver has taken nothing.
 */
export function isWebPage({ headers, body }: HttpAnswer): boolean {
  const isHtml = String(headers["content-type"] ?? "").startsWith("text/html");
  return isHtml && /^\s*<(!doctype\s+html|html)\b/i.test(body);
}

/** No whole answer came. */
export interface NoAnswer {
  readonly failure: string;
  readonly timedOut: boolean;
}

export interface PostOptions {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly agent: Agent;
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "after">;
}

/** Never throws; `break` ends it at once, as a failure. */
export function post(options: PostOptions): { readonly answer: Promise<HttpAnswer | NoAnswer>; break(): void } {
  const { timeoutMs, clock } = options;
  let call: ClientRequest | undefined;
  let settle: Settle = () => undefined;
  const answer = new Promise<HttpAnswer | NoAnswer>((resolve) => {
    settle = (result) => {
      deadline.stop();
      resolve(result);
    };
  });
  // Settled here and not by what the request tells of its end: of some connections Node tells nothing more.
  const end = (failure: string, timedOut: boolean) => {
    settle({ failure, timedOut });
    call?.destroy();
  };
  const deadline = clock.after(timeoutMs, () => end(`no answer in ${timeoutMs} ms`, true));
  try {
    call = begin(options, settle);
  } catch (error) {
    // A header, port or certificate that cannot be.
    settle(failureOf(error as Error));
  }
  return { answer, break: () => end("it is being stopped", false) };
}

/** Only the first counts. */
type Settle = (result: HttpAnswer | NoAnswer) => void;

function begin({ url, headers, body, agent, ca }: PostOptions, settle: Settle): ClientRequest {
  const request = url.protocol === "https:" ? requestTls : requestPlain;
  const call = request(url, {
    method: "POST",
    agent,
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    ...(ca === undefined ? {} : { ca }),
  });
  const fail = (error: Error) => settle(failureOf(error));
  call.on("error", fail);
  call.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    // What is beyond the most is read and forgotten, so that the connection can be used again.
    response.on("data", (part: string) => {
      if (text.length < ANSWER_BYTES_MAX) text += part;
    });
    response.on("error", fail);
    response.on("end", () => settle(answerOf(response, text)));
    // Broken off in the middle: an answer that is not whole is none.
    response.on("close", () => fail(new Error("the answer was broken off")));
  });
  // A 101: nobody asked for another protocol, and without a listener Node lets go of all without a word.
  call.on("upgrade", (response, socket) => {
    socket.destroy();
    settle(answerOf(response, ""));
  });
  call.end(body);
  return call;
}

function answerOf(response: IncomingMessage, body: string): HttpAnswer {
  return { status: response.statusCode ?? 0, headers: { ...response.headers }, body };
}

function failureOf(error: NodeJS.ErrnoException): NoAnswer {
  return { failure: error.message === "" ? (error.code ?? error.name) : error.message, timedOut: false };
}
