// What a schema cannot say of the ways into LoRaWAN: base stations, and the network servers of others.
import type { GatewayConfig } from "../../protocol/index.ts";

type IsLoopbackUrl = (url: string) => boolean;

export function lorawanRules(config: GatewayConfig, isLoopbackUrl: IsLoopbackUrl): string[] {
  return [
    ...stationRules(config),
    ...chirpstackRules(config, isLoopbackUrl),
    ...thingsStackRules(config, isLoopbackUrl),
  ];
}

/** LoRaWAN's own protection ends at its server: who reaches that broker can say anything in the name of any device. */
function chirpstackRules({ chirpstack }: GatewayConfig, isLoopbackUrl: IsLoopbackUrl): string[] {
  if (chirpstack === undefined) return [];
  const { url, username, passwordFile, tlsCert, tlsKey } = chirpstack;
  const problems: string[] = [];
  if ((username === undefined) !== (passwordFile === undefined)) {
    problems.push("chirpstack: username and passwordFile go together");
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) problems.push("chirpstack: tlsCert and tlsKey go together");
  if (isLoopbackUrl(url)) return problems;
  if (username === undefined && tlsCert === undefined) {
    problems.push(
      "chirpstack: that broker is another machine's, and nobody may be anonymous there: " +
        "set username and passwordFile, or tlsCert and tlsKey",
    );
  }
  return [...problems, ...clearTextProblems("chirpstack", url)];
}

function thingsStackRules({ thingsStack }: GatewayConfig, isLoopbackUrl: IsLoopbackUrl): string[] {
  if (thingsStack === undefined || isLoopbackUrl(thingsStack.url)) return [];
  return clearTextProblems("thingsStack", thingsStack.url);
}

function clearTextProblems(section: string, url: string): string[] {
  if (url.startsWith("mqtts:")) return [];
  return [`${section}.url ${url} leaves this machine in the clear, and needs TLS: use mqtts://`];
}

function stationRules({ lorawan }: GatewayConfig): string[] {
  if (lorawan === undefined) return [];
  const { udpHost, stations } = lorawan;
  const problems: string[] = [];
  if (udpHost === "0.0.0.0" || udpHost === "::") {
    problems.push(
      `lorawan.udpHost ${udpHost} is every network of this machine, and the base stations' protocol has no sign-in. ` +
        "Name the one address or interface of their network.",
    );
  }
  stations.forEach(({ eui }, i) => {
    if (stations.findIndex((one) => one.eui === eui) < i)
      problems.push(`lorawan.stations.${i} ${eui} stands there twice: keep one of them`);
  });
  return problems;
}
