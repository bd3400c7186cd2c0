// The demo as a newcomer runs it, seen in Chromium: 34 points, a third of them over LoRaWAN, live alerts, an acknowledgement that two screens agree on,
// nothing asked of any other machine, and words when the gateway is gone. Makes the pictures of the README.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeviceSamples, LorawanDeviceState, LorawanStation } from "../../protocol/index.ts";
import { freePort, temporaryFolder, waitFor } from "../fixtures.ts";

const CHROMIUM = "/usr/bin/chromium";
const HAS_CHROMIUM = existsSync(CHROMIUM);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PICTURES = fileURLToPath(new URL("../out/", import.meta.url));
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-gpu",
  "--disable-quic",
  "--font-render-hinting=none",
];

describe.skipIf(!HAS_CHROMIUM)(`the demo in a browser (needs chromium${HAS_CHROMIUM ? "" : ": not installed"})`, () => {
  const folder = temporaryFolder();
  let demo: ChildProcess;
  let browser: Browser;
  let url = "";
  let password = "";
  let words = "";
  const outside: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    const [port, mqttPort, lorawanPort] = [await freePort(), await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    const args = [
      "tests/demo/main.ts",
      "--port",
      String(port),
      "--mqtt-port",
      String(mqttPort),
      "--lorawan-port",
      String(lorawanPort),
      "--hours",
      "20",
      "--dir",
      folder.path,
    ];
    demo = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    demo.stdout?.on("data", (data) => {
      words += String(data);
    });
    demo.stderr?.on("data", (data) => {
      words += String(data);
    });
    await waitFor("the demo's sign-in", () => /Password\s+(\S+)/.test(words), 60_000);
    password = /Password\s+(\S+)/.exec(words)?.[1] ?? "";
    browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, chromiumSandbox: false, args: QUIET });
  });
  afterAll(async () => {
    await browser?.close();
    if (demo.exitCode === null) {
      const gone = new Promise((resolve) => demo.once("exit", resolve));
      demo.kill("SIGINT");
      await gone;
    }
    folder.remove();
  });

  async function open(width: number, height: number): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width, height },
      locale: "nl-NL",
      timezoneId: "Europe/Amsterdam",
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith("data:")) outside.push(request.url());
    });
    await page.goto(url);
    await page.fill("#name", "coordinator-1");
    await page.fill("#password", password);
    await page.click("button[type=submit]");
    await page.waitForSelector("table");
    return page;
  }

  const openAlerts = (page: Page) => page.locator(".alert").count();

  test("a wrong password says what to do", async () => {
    const page = await (await browser.newContext({ locale: "nl-NL" })).newPage();
    await page.goto(url);
    await page.fill("#name", "coordinator-1");
    await page.fill("#password", "not-the-password");
    await page.click("button[type=submit]");
    await page.waitForFunction(() => document.querySelector("#problem")?.textContent !== "");
    expect(await page.textContent("#problem")).toMatch(/Naam of wachtwoord klopt niet/);
    await page.context().close();
  });

  test("34 points are there, all heard of, and alerts are live", async () => {
    const page = await open(1440, 900);
    await page.click("text=Toon alle punten");
    await expect.poll(() => page.locator("tbody tr").count(), { timeout: 60_000 }).toBe(34);
    await expect.poll(() => page.locator("text=nog niets ontvangen").count(), { timeout: 90_000 }).toBe(0);
    await expect.poll(() => openAlerts(page), { timeout: 90_000 }).toBeGreaterThan(5);
    expect(await page.locator(".alert.prio-1").count()).toBeGreaterThan(0);
    await page.click("text=Toon alleen afwijkingen");
    await page.mouse.move(700, 20);
    await page.screenshot({ path: `${PICTURES}toestand.png` });
    const axe = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
      .analyze();
    expect(axe.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
    await page.context().close();
  });

  test("a third of them came over LoRaWAN, with the hours of before, and nothing that they send is refused", async () => {
    await waitFor("LoRaWAN to catch up", () => words.includes("LoRaWAN has caught up"), 120_000);
    const page = await open(1440, 900);
    const get = async <T>(path: string) => (await (await page.request.get(`${url}${path}`)).json()) as T;
    const stations = await get<readonly LorawanStation[]>("/v1/lorawan/stations");
    expect(stations.map(({ connected, refused }) => ({ connected, refused }))).toEqual(
      Array.from({ length: 3 }, () => ({ connected: true, refused: {} })),
    );
    const devices = await get<readonly LorawanDeviceState[]>("/v1/lorawan/devices");
    expect(devices.map(({ session }) => session?.state)).toEqual(Array.from({ length: 12 }, () => "active"));
    // Every quarter of an hour since the mains failed, at the time at which it was taken.
    const { samples } = await get<DeviceSamples>("/v1/devices/urk-01-d1/samples?limit=1000");
    const minutes = samples.map(({ at }) => Date.parse(at) / 60_000);
    const gaps = minutes.slice(1).map((minute, i) => minute - (minutes[i] ?? 0));
    expect(samples.length).toBeGreaterThan(80);
    expect(Math.round(Math.max(...gaps))).toBe(15);
    const { refusals } = await get<{ readonly refusals: object }>("/v1/gateway");
    expect(refusals).toEqual({});
    await page.goto(`${url}/#/punt/urk-01`);
    await page.waitForSelector(".part-history svg");
    await page.waitForSelector(".part-devices tbody tr");
    await page.screenshot({ path: `${PICTURES}punt-lorawan.png`, fullPage: true });
    await page.context().close();
  });

  test("an acknowledgement is seen on another screen, with its name and note", async () => {
    const [mine, theirs] = [await open(1440, 900), await open(390, 844)];
    await expect.poll(() => openAlerts(theirs)).toBeGreaterThan(0);
    const id = await mine.locator(".alert.selected").getAttribute("data-alert");
    await mine.fill(".alert.selected .note input", "aggregaat onderweg");
    await mine.click(`[data-alert="${id}"] button.primary`);
    await theirs.waitForSelector("text=aggregaat onderweg", { timeout: 5_000 });
    expect(await theirs.locator(`[data-alert="${id}"]`).count()).toBe(0);
    expect(await theirs.locator(".seen").textContent()).toContain("coordinator-1");
    await theirs.screenshot({ path: `${PICTURES}toestand-phone.png` });
    await mine.click("button[lang=en]");
    await mine.waitForSelector("text=Endurance");
    await mine.context().close();
    await theirs.context().close();
  });

  test("the keyboard alone is enough", async () => {
    const page = await open(1440, 900);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const focused = await page.evaluate(() => document.activeElement?.getAttribute("data-point"));
    expect(focused).not.toBeNull();
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.press("Escape");
    const before = await openAlerts(page);
    await page.keyboard.press("b");
    await expect.poll(() => openAlerts(page)).toBeLessThan(before);
    await page.context().close();
  });

  test("a point has a page of its own: by Enter, by its address, and back to the same row", async () => {
    const page = await open(1440, 900);
    await page.keyboard.press("j");
    const pointId = await page.evaluate(() => document.activeElement?.getAttribute("data-point"));
    await page.keyboard.press("Enter");
    await page.waitForSelector("main.point");
    expect(page.url()).toContain(`#/punt/${pointId}`);
    await page.waitForSelector(".part-history svg");
    await page.waitForSelector(".part-devices tbody tr");
    expect(await page.locator(".part-readings tbody tr").count()).toBeGreaterThan(3);
    await page.screenshot({ path: `${PICTURES}punt.png`, fullPage: true });
    const axe = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
      .analyze();
    expect(axe.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`)).toEqual([]);
    await page.reload();
    await page.waitForSelector("main.point");
    await page.keyboard.press("Escape");
    await page.waitForSelector(".endurance table");
    await page.goBack();
    await page.waitForSelector("main.point");
    await page.keyboard.press("Escape");
    await page.waitForFunction((id) => document.activeElement?.getAttribute("data-point") === id, pointId);
    await page.context().close();
  });

  test("when the demo ends, the screen says so over its whole width, and no request ever left the machine", async () => {
    const page = await open(1440, 900);
    await page.waitForSelector(".alert");
    const gone = new Promise((resolve) => demo.once("exit", resolve));
    demo.kill("SIGINT");
    expect(await gone).toBe(0);
    await page.waitForSelector(".notice", { timeout: 30_000 });
    expect(await page.textContent(".notice")).toMatch(/Geen verbinding met de gateway sinds/);
    expect((await page.locator(".notice").boundingBox())?.width).toBe(1440);
    await page.screenshot({ path: `${PICTURES}out-of-reach.png` });
    expect(outside).toEqual([]);
    await page.context().close();
  });
});
