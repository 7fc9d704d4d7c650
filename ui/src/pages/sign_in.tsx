// SPDX-License-Identifier: MIT
//
// sign_in.tsx: what a browser without a session sees.
import { useState } from "preact/hooks";

export function SignIn() {
  const [error, setError] = useState("");
  const submit = async (e: Event) => {
    e.preventDefault();
    const token = String(new FormData(e.target as HTMLFormElement).get("token") ?? "").trim();
    setError("");
    try {
      const r = await fetch("/api/v1/login-codes", {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "X-Gowtf": "1" },
        body: "{}",
      });
      if (!r.ok) {
        setError(r.status === 401 ? "This is not the token of this server." : `The server refused (status ${r.status}).`);
        return;
      }
      const { path } = (await r.json()) as { path: string };
      if (path.startsWith("/login?")) location.href = path;
    } catch {
      setError("The server does not answer.");
    }
  };
  return (
    <section class="sign-in">
      <h1>Sign in</h1>
      <p>This browser has no session yet. On the machine where gowtf runs, ask for a link and open it here:</p>
      <pre><code>gowtf ui</code></pre>
      <p><code>gowtf serve</code> prints such a link when it starts. A link works once, for 15 minutes.</p>
      <form onSubmit={submit}>
        <label class="field">
          <span>Or paste the token, from the file <code>token</code> in the data directory</span>
          <input name="token" type="password" autocomplete="current-password" required spellcheck={false} />
        </label>
        {error && <p class="form-error" role="alert">{error}</p>}
        <div class="buttons"><button type="submit" class="primary">Sign in</button></div>
      </form>
    </section>
  );
}
