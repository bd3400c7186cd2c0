// Writes the dashboards as Grafana reads them: `node dashboards/grafana/build.ts`.
import { writeFileSync } from "node:fs";
import { BOARDS } from "./boards.ts";
import { dashboardOf } from "./panels.ts";

for (const [name, plan] of Object.entries(BOARDS)) {
  const path = new URL(`./dashboards/${name}.json`, import.meta.url);
  writeFileSync(path, `${JSON.stringify(dashboardOf(plan), null, 2)}\n`);
}
