// One POST with a deadline for the whole of it, a bounded answer, and no redirects.
import { type Agent, type IncomingHttpHeaders, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Clock } from "./clock.ts";

const ANSWER_BYTES_MAX = 65_536;

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
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
  const { url, headers, body, agent, ca, timeoutMs, clock } = options;
  const request = url.protocol === "https:" ? requestTls : requestPlain;
  const call = request(url, {
    method: "POST",
    agent,
    headers: { ...headers, "content-length": Buffer.byteLength(body) },
    ...(ca === undefined ? {} : { ca }),
  });
  const end = (failure: string) => call.destroy(new Error(failure));
  const answer = new Promise<HttpAnswer | NoAnswer>((resolve) => {
    let timedOut = false;
    const deadline = clock.after(timeoutMs, () => {
      timedOut = true;
      end(`no answer in ${timeoutMs} ms`);
    });
    const settle = (result: HttpAnswer | NoAnswer) => {
      deadline.stop();
      resolve(result);
    };
    const fail = (error: NodeJS.ErrnoException) => {
      settle({ failure: error.message === "" ? (error.code ?? error.name) : error.message, timedOut });
    };
    call.on("error", fail);
    call.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      // What is beyond the most is read and forgotten, so that the connection can be used again.
      response.on("data", (part: string) => {
        if (text.length < ANSWER_BYTES_MAX) text += part;
      });
      response.on("error", fail);
      response.on("end", () =>
        settle({ status: response.statusCode ?? 0, headers: plain(response.headers), body: text }),
      );
      // Broken off in the middle: an answer that is not whole is none.
      response.on("close", () => fail(new Error("the answer was broken off")));
    });
    call.end(body);
  });
  return { answer, break: () => void end("it is being stopped") };
}

function plain(headers: IncomingHttpHeaders): HttpAnswer["headers"] {
  return { ...headers };
}
