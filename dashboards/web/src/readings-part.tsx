// Every reading with its quality and its age, and the devices that the point has.
import type { DeviceState } from "../../../protocol/schema/index.ts";
import { Part, type PartProps } from "./part.tsx";
import { ToldMark } from "./said.tsx";
import { coded, readingName, readingWord, sourceWord } from "./words.ts";

export function ReadingsPart({ point, nowMs, format }: PartProps) {
  return (
    <Part id="readings" title={format.text("readingsTitle")}>
      {point.readings.length === 0 ? (
        <p>{format.text("noReadings")}</p>
      ) : (
        <div class="wide-table">
          <table>
            <thead>
              <tr>
                <th>{format.text("colReading")}</th>
                <th class="figure-col">{format.text("colValue")}</th>
                <th>{format.text("colQuality")}</th>
                <th>{format.text("colWhen")}</th>
                <th>{format.text("colWho")}</th>
              </tr>
            </thead>
            <tbody>
              {point.readings.map((reading) => (
                <tr key={`${reading.name} ${reading.deviceId ?? "told"}`} class={`quality-${reading.quality}`}>
                  <th scope="row">{readingName(reading.name, format)}</th>
                  <td class="figure-col">
                    {readingWord(reading, format)}
                    {reading.saturated === true && <span class="sub">{format.text("saturated")}</span>}
                  </td>
                  <td>{coded(format, "quality", reading.quality)}</td>
                  <td class="reading-age">{format.age(nowMs - Date.parse(reading.at))}</td>
                  <td class="reading-who">
                    {reading.told !== undefined && <ToldMark format={format} />}
                    {sourceWord(reading, format)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Part>
  );
}

export interface DevicesProps extends PartProps {
  readonly devices: readonly DeviceState[] | undefined;
}

export function DevicesPart({ point, devices, nowMs, format }: DevicesProps) {
  const words = { present: "contactPresent", silent: "noContact", never: "neverHeard" } as const;
  if (point.contact === "no-device")
    return (
      <Part id="devices" title={format.text("devicesTitle")}>
        <p>{format.text("noDeviceHere")}</p>
      </Part>
    );
  return (
    <Part id="devices" title={format.text("devicesTitle")}>
      {devices === undefined ? (
        <p>{format.text("notLoaded")}</p>
      ) : (
        <div class="wide-table">
          <table>
            <thead>
              <tr>
                <th>{format.text("colDevice")}</th>
                <th>{format.text("colContact")}</th>
                <th>{format.text("colHeard")}</th>
                <th class="figure-col">{format.text("colMissing")}</th>
              </tr>
            </thead>
            <tbody>
              {devices.map((device) => (
                <tr key={device.deviceId}>
                  <th scope="row">{device.deviceId}</th>
                  <td class={device.contact === "present" ? "" : "old"}>{format.text(words[device.contact])}</td>
                  <td>
                    {device.lastReceivedAt === undefined
                      ? "—"
                      : format.text("ago", { age: format.age(nowMs - Date.parse(device.lastReceivedAt)) })}
                  </td>
                  <td class="figure-col">{format.whole(device.missing)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Part>
  );
}
