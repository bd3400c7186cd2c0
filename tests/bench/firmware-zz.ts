import { PROFILES } from "../../firmware/build/profiles.ts";
import { countVariables } from "./firmware-engine.ts";
import { benchScenario } from "./firmware-scenarios.ts";
import { measuredOf } from "./firmware-image.ts";
import { decodeUplink } from "../../protocol/wire.ts";
for (const p of PROFILES) {
  if (process.argv[2] && process.argv[2] !== "all" && p.board !== process.argv[2]) continue;
  const t0 = Date.now();
  const m = await measuredOf(p);
  const s = benchScenario(p.board, p.profile, Number(process.argv[3] ?? 2))!;
  try {
  const v = (await countVariables(m, s))!;
  const kinds: any = {};
  for (const f of v.frames) { const d = decodeUplink(Buffer.from(f, "hex")) as any; kinds[d.kind] ??= []; kinds[d.kind].push(d.value?.reports?.length ?? d.value.event ?? 1); }
  console.log(p.board, m.bytes, m.made.tokens.length, v.rest, v.peak, v.elsewhere, Date.now() - t0, JSON.stringify(kinds));
  } catch (e) { console.log(p.board, m.bytes, e); }
}
process.exit(0);
