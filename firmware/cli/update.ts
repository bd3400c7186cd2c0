// `waakvlam-device update`: a new program for a device that has its configuration and its records already. They stay.
import { slotName, slotQuestions, slotsFrom, slotToWrite, updateSteps } from "../../protocol/console/update.ts";
import { programBytesMax, slotLayout } from "../build/image.ts";
import { findProfile } from "../build/profiles.ts";
import { readProgram } from "./files.ts";
import {
  type CliIo,
  type ExitCode,
  findBoard,
  knownProfiles,
  openPort,
  type PortOptions,
  talk,
  tellFailure,
} from "./io.ts";

export interface UpdateOptions extends PortOptions {
  readonly profile: string;
  readonly json: boolean;
}

export async function update(options: UpdateOptions, io: CliIo): Promise<ExitCode> {
  const table = findBoard(options.board, io);
  if (table === undefined) return 2;
  if (findProfile(options.board, options.profile) === undefined) {
    io.err(`There is no profile ${options.profile} for board ${options.board}. There is: ${knownProfiles()}`);
    return 2;
  }
  const program = readProgram(options.board, options.profile, io);
  if (program === undefined) return 3;
  if (program.length > programBytesMax(table)) {
    io.err(`A program of ${program.length} bytes; a slot of ${table.name} holds ${programBytesMax(table)}.`);
    return 3;
  }
  const line = await openPort(options, io);
  if (line === undefined) return 4;
  const layout = slotLayout(table);
  const asked = await talk(line, slotQuestions(layout), io);
  if (asked.kind === "failed") {
    line.destroy();
    tellFailure("Not updated", asked, table.name, io);
    return 1;
  }
  const { slot, turn } = slotToWrite(slotsFrom(asked.answers));
  if (table.slots === 1)
    io.err(`${table.name} has one slot: until this is done it has no program. Keep it on the bench.`);
  const result = await talk(line, updateSteps(layout, slot, turn, program), io);
  line.destroy();
  if (result.kind === "failed") {
    tellFailure("Not updated", result, table.name, io);
    return 1;
  }
  const summary = { board: table.name, slot: slotName(slot), turn, bytes: program.length };
  io.out(
    options.json
      ? JSON.stringify(summary)
      : `${program.length} bytes in ${summary.slot} of ${table.name}, verified by reading back. It starts now${table.slots === 1 ? "." : "; if it does not get through its boot, the other slot's program comes back."}`,
  );
  return 0;
}
