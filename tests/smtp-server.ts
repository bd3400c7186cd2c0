// A mail server on loopback (RFC 5321, with STARTTLS of RFC 3207) that keeps what it takes; what it says to recipients is set by the test.
import { createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly isTls: boolean;
  readonly user?: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: readonly Mail[];
  /** Said to RCPT from now on. */
  answerRcpt(line: string): void;
  stop(): Promise<void>;
}

export async function startSmtpServer(tls?: { readonly key: string; readonly cert: string }): Promise<SmtpServer> {
  const mails: Mail[] = [];
  const sockets = new Set<Socket>();
  const now = { rcpt: "250 ok" };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    socket.write("220 test ESMTP\r\n");
    serve(socket, { mails, now, tls, isTls: false });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    mails,
    answerRcpt: (line) => {
      now.rcpt = line;
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

interface Service {
  readonly mails: Mail[];
  readonly now: { rcpt: string };
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly isTls: boolean;
}

function serve(socket: Socket, service: Service): void {
  const { mails, now, tls, isTls } = service;
  let buffer = "";
  let body: string[] | undefined;
  let envelope = { from: "", to: "" };
  let user: string | undefined;
  const listen = (part: Buffer) => {
    buffer += part.toString();
    for (let end = buffer.indexOf("\r\n"); end >= 0; end = buffer.indexOf("\r\n")) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      take(line);
    }
  };
  const say = (line: string) => void socket.write(`${line}\r\n`);

  function take(line: string): void {
    if (body === undefined) command(line);
    else if (line !== ".") body.push(line);
    else {
      mails.push({ ...envelope, text: body.join("\n"), isTls, ...(user === undefined ? {} : { user }) });
      body = undefined;
      say("250 taken");
    }
  }

  function command(line: string): void {
    switch (line.split(/[ :]/)[0]?.toUpperCase()) {
      case "EHLO":
        say(`250-test\r\n${tls === undefined || isTls ? "" : "250-STARTTLS\r\n"}250 AUTH PLAIN`);
        break;
      case "STARTTLS":
        say("220 go on");
        secure();
        break;
      case "AUTH":
        user =
          Buffer.from(line.split(" ")[2] ?? "", "base64")
            .toString()
            .split("\0")[1] ?? "";
        say("235 welcome");
        break;
      case "MAIL":
        envelope = { from: /<(.*?)>/.exec(line)?.[1] ?? "", to: "" };
        say("250 ok");
        break;
      case "RCPT":
        envelope = { ...envelope, to: /<(.*?)>/.exec(line)?.[1] ?? "" };
        say(now.rcpt);
        break;
      case "DATA":
        body = [];
        say("354 go on");
        break;
      case "QUIT":
        socket.end("221 bye\r\n");
        break;
      default:
        say("250 ok");
    }
  }

  function secure(): void {
    socket.off("data", listen);
    const closed = new TLSSocket(socket, { isServer: true, key: tls?.key ?? "", cert: tls?.cert ?? "" });
    closed.on("error", () => undefined);
    serve(closed, { ...service, isTls: true });
  }

  socket.on("data", listen);
}
