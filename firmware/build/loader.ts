// The loader, `.boot0`: the one thing on a board that never changes in the field. It closes the consoles, chooses a slot whose
// program fits its checksum, and runs it at the root. A button held at boot leaves the consoles open and starts nothing.
import { SLOT_HEADER_BYTES, SLOT_MAGIC, SLOT_TRIES_WORD } from "../../protocol/console/slots.ts";
import { type BoardTable, FILES } from "../boards/table.ts";

/** The loader starts this watchdog: a program that does not come to kick it in time has used up a try. */
export const WATCHDOG_S = 60;
/** The bench state ends by itself: a button that sticks must not keep a device from working for ever. */
export const BENCH_MS = 600_000;

interface LoaderParts {
  /** Closes what the engine opens by itself beside its serial console. */
  readonly close: string;
  /** How often the button is looked at: for about a second where it must not be down while the chip resets. */
  readonly looks: number;
}

const BLUETOOTH_OFF: LoaderParts = { close: "NRF.sleep();", looks: 1 };
const PARTS: Readonly<Record<string, LoaderParts>> = {
  esp32: { close: 'require("TelnetServer").setOptions({mode:"off"});', looks: 9999 },
  xiaoble: BLUETOOTH_OFF,
  mdbt42q: BLUETOOTH_OFF,
  pixljs: BLUETOOTH_OFF,
};

/**
 * All of it within one function, so that it leaves no name behind but `wkSlot`, the number of the slot that runs; the program
 * is what the function returns, evaluated outside it. The engine turns `BTN1` and its pull round where the button pulls low.
 * `n` is the weight of the best slot so far, `w` where its next try is written (see `chooseSlot` in `protocol/console/slots.ts`).
 */
export function loaderOf(table: BoardTable): string {
  const { close, looks } = PARTS[table.name] as LoaderParts;
  return [
    'eval(function(){var F=require("Flash"),r="",M=-1>>>0,n=0,w=0,i,a,h,s,k,g;',
    'pinMode(BTN1,"input_pulldown");',
    `for(i=${looks};i--;)if(digitalRead(BTN1)){digitalWrite(LED1,1);setTimeout(E.reboot,${BENCH_MS});return r}`,
    `${close}E.setConsole(null,{force:1});E.enableWatchdog(${WATCHDOG_S},0);`,
    `for(i=0;i<${table.slots};i++){a=${table.dataAddress}+(k=i*${table.slotBytes});`,
    `h=new Uint32Array(F.read(${SLOT_HEADER_BYTES},a).buffer);`,
    `if(h[0]==${SLOT_MAGIC}&&E.CRC32(F.read(16,a))==h[4]&&`,
    `E.CRC32(s=require("Storage").read("${FILES.data}",k+${SLOT_HEADER_BYTES},h[2]))==h[3]){`,
    `k=h[5]<M?0:h.indexOf(M,${SLOT_TRIES_WORD});g=h[1]+(k<0?0:M);`,
    "if(g>n){n=g;r=s;w=k>0?a+k*4:0;wkSlot=i}}}",
    'if(w)F.write("\\0\\0\\0\\0",w);',
    "if(!n)setInterval(function(){digitalPulse(LED1,1,50)},500);",
    "return r}())",
  ].join("");
}
