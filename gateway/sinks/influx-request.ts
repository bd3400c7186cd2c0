// What stands between InfluxDB's client and Node's request. The client compresses first and asks then, in a callback of its
// own: what is thrown there would end the gateway. And it believes any answer, however long and however packed.
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { PassThrough, Writable } from "node:stream";
import { ANSWER_BYTES_MAX } from "../http-post.ts";

type Listener = (response: IncomingMessage) => void;
type Request = (options: RequestOptions, listener: Listener) => ClientRequest;
/** As much of a response as the client looks at. */
type Answer = Pick<IncomingMessage, "statusCode" | "statusMessage" | "headers"> & PassThrough;

/** The same request; what it throws comes as its error, and its answer is bounded and taken as it is. */
export function guardedRequest(request: Request): (options: RequestOptions, listener: Listener) => Writable {
  return (options, listener) => {
    try {
      const call = request(options, (response) => listener(asResponse(bounded(response))));
      // A 101: nobody asked for another protocol, and without a listener Node lets go of all without a word.
      call.on("upgrade", (response, socket) => {
        socket.destroy();
        listener(asResponse(withHead(new PassThrough().end(), response)));
      });
      return call;
    } catch (error) {
      // A header, port or certificate that cannot be. The error is told of in the next turn, when the client listens.
      return new Writable().destroy(error as Error);
    }
  };
}

function bounded(response: IncomingMessage): Answer {
  const answer = new PassThrough();
  let bytes = 0;
  const breakOff = (error: Error) => void (answer.writableEnded || answer.destroy(error));
  response.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes <= ANSWER_BYTES_MAX) return answer.write(part);
    // Its status counts, and what it says is nothing any more.
    answer.end();
    return response.destroy();
  });
  response.on("end", () => answer.end());
  response.on("error", breakOff);
  response.on("close", () => breakOff(new Error("the answer was broken off")));
  return withHead(answer, response);
}

function withHead(answer: PassThrough, { statusCode, statusMessage, headers }: IncomingMessage): Answer {
  // Nobody asked for a packed answer, and unpacked it may be a thousand times as long.
  const { "content-encoding": _, ...plain } = headers;
  return Object.assign(answer, { statusCode, statusMessage, headers: plain }) as Answer;
}

function asResponse(answer: Answer): IncomingMessage {
  return answer as unknown as IncomingMessage;
}
