// Certificates that are put in force while the gateway runs: those of new connections, without one being closed.
import type { Server as HttpServer } from "node:http";
import { createSecureContext, Server as TlsServer } from "node:tls";
import type { GatewayConfig } from "../../protocol/index.ts";
import { GatewayError } from "../errors.ts";
import type { MqttIngress } from "../ingress/mqtt.ts";
import { readPem } from "./parts.ts";

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  /** Reads the files of a configuration; gives what puts them in force. Throws FILE_UNREADABLE, CONFIG_INVALID. */
  prepare(config: Pick<GatewayConfig, "http" | "mqtt">): () => void;
}

/** Undefined for a section without TLS. Throws FILE_UNREADABLE. */
export function tlsFilesOf({ tlsCert, tlsKey }: { tlsCert?: string; tlsKey?: string }): TlsFiles | undefined {
  return tlsCert === undefined || tlsKey === undefined ? undefined : { cert: readPem(tlsCert), key: readPem(tlsKey) };
}

/** A listener that began without TLS stays so. */
export function createListenerCertificates(http: HttpServer, mqtt: Pick<MqttIngress, "setTls">): Certificates {
  const put = {
    http: (files: TlsFiles) => void (http instanceof TlsServer && http.setSecureContext(files)),
    mqtt: mqtt.setTls,
  };
  return {
    prepare(config) {
      const ready = (["http", "mqtt"] as const).map((section) => {
        const files = tlsFilesOf(config[section]);
        if (files === undefined) return () => undefined;
        try {
          createSecureContext(files);
        } catch (cause) {
          const reason = cause instanceof Error ? cause.message : String(cause);
          throw new GatewayError("CONFIG_INVALID", { problems: [`${section}/tlsCert: ${reason}`] }, { cause });
        }
        return () => put[section](files);
      });
      return () => {
        for (const swap of ready) swap();
      };
    },
  };
}
