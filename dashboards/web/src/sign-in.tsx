// Signing in.
import { useState } from "preact/hooks";
import { signIn } from "./actions.ts";
import type { Format } from "./format.ts";
import { signedOut } from "./live.ts";

export function SignIn({ format }: { format: Format }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    const outcome = await signIn(String(form.get("name")), String(form.get("password")));
    setBusy(false);
    if (outcome.kind === "done") return;
    const known = outcome.status === 401 ? "wrongPassword" : outcome.status === 429 ? "slowedDown" : undefined;
    setProblem(
      known !== undefined ? format.text(known) : outcome.status === 0 ? format.text("unreachableShort") : outcome.what,
    );
  };
  return (
    <main class="sign-in">
      <h1>Waakvlam</h1>
      <p>{format.text("product")}</p>
      {signedOut.value && <p role="status">{format.text("sessionOver")}</p>}
      <form onSubmit={(event) => void submit(event)}>
        <label for="name">{format.text("name")}</label>
        <input id="name" name="name" autocomplete="username" required maxLength={64} aria-describedby="problem" />
        <label for="password">{format.text("password")}</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required maxLength={256} />
        <p id="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {format.text("signIn")}
        </button>
      </form>
    </main>
  );
}
