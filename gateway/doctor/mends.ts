// Commands that mend, so that they can be pasted as they stand. Pure.
import type { Finding } from "./checks.ts";
import type { Unreadable } from "./facts.ts";

/** Commands of ours that take a configuration. */
const OURS = /waakvlam (?:backup|doctor|notify|people|registry|restore|sheet|start|tls)\b[^;&]*?(?=\s*(?:;|&&|$))/g;

/** The same finding, whose commands look at the configuration that was looked at. */
export function withConfig(finding: Finding, path: string | undefined): Finding {
  const { mend } = finding;
  if (mend === undefined || path === undefined) return finding;
  return { ...finding, mend: mend.replace(OURS, (command) => `${command} --config ${quoted(path)}`) };
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** Only root may give files away, and for root the words `id -un` would be root's own name. */
export function giveTo(account: string, path: string, flags = ""): string {
  return `chown ${flags}${account} ${path} # as root, where the gateway runs as ${account}`;
}

/** Of a file of ours: from the copy, or made anew by `command`. */
export function mendUnreadable({ path, isTorn }: Unreadable, account: string, command: string): string {
  if (path === undefined) return command;
  if (!isTorn) return giveTo(account, path);
  return `restore the last copy; without one: mv ${path} ${path}.torn && ${command}`;
}
