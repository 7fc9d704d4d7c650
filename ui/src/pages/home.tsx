// SPDX-License-Identifier: MIT
//
// home.tsx: what needs me, what is running, what comes next.
import { type Home, type Need, get, type Run, type RunState } from "../api";
import { LIST_KEYS, useKeys } from "../keys";
import { about, coarse, count, elapsed, exact, ms, now, plural, when } from "../format";
import { cannot, eta, Progress, retryRun, RunLink, Waiting, When, complain } from "../parts";
import { useResource } from "../resource";
import { enc, go } from "../router";
import { Shape } from "../state";

export function HomePage() {
  const home = useResource<Home>("home", {
    load: (s) => get<Home>("/home", s),
    seq: (h) => h.seq,
    apply: (h, e, again) => {
      if (e.type === "run") {
        const d = e.data as unknown as Run & { run: number; to: RunState | null };
        again(d.to ? 60 : 400);
        if (!h.running.some((r) => r.id === d.run)) return;
        return {
          ...h,
          running: h.running.map((r) =>
            r.id === d.run ? { ...r, state: d.state, tasks_done: d.tasks_done, tasks_failed: d.tasks_failed, tasks_running: d.tasks_running, tasks_total: d.tasks_total } : r,
          ),
        };
      }
      again();
      return;
    },
  });
  useKeys("Home", LIST_KEYS);
  const h = home.data.value;
  if (!h) return <Waiting of={home} />;
  return (
    <div class="page home">
      <h1 class="hidden">Home</h1>
      <section class="band" aria-labelledby="needs">
        <header><h2 id="needs">Needs you <b>{h.needs.length || ""}</b></h2></header>
        {h.needs.length === 0 ? <Fine h={h} /> : (
          <ul class="rows needs">{h.needs.map((n) => <NeedRow key={`${n.kind}${n.workflow}${n.run}${n.text}`} n={n} />)}</ul>
        )}
      </section>
      <section class="band" aria-labelledby="running">
        <header>
          <h2 id="running">Running <b>{h.running.length || ""}</b></h2>
          <span class="faint">slots {h.slots.used} of {h.slots.total}{h.slots.queued ? ` · ${plural(h.slots.queued, "task")} queued` : ""}</span>
        </header>
        {h.running.length === 0 ? <p class="empty">Nothing runs now.</p> : (
          <ul class="rows running">{h.running.map((r) => <RunningRow key={r.id} r={r} />)}</ul>
        )}
      </section>
      <div class="pair">
        <section class="band" aria-labelledby="next">
          <header><h2 id="next">Next</h2><a href="/schedule">all</a></header>
          {h.next.length === 0 ? <p class="empty">No schedule is on.</p> : (
            <table class="list next"><thead class="hidden"><tr><th>At</th><th>In</th><th>Workflow</th><th>Usually</th></tr></thead><tbody>
              {h.next.map((f) => (
                <tr key={f.at + f.workflow}>
                  <td class="num"><time dateTime={f.at} title={exact(f.at)}>{when(f.at)}</time></td>
                  <td class="num faint">in {coarse(Math.max(0, (ms(f.at) ?? 0) - now.value))}</td>
                  <td class="wide"><a href={`/w/${enc(f.workflow)}`}>{f.workflow}</a></td>
                  <td class="faint right">{f.usual_ms !== null ? `usually ${about(f.usual_ms)}` : ""}</td>
                </tr>
              ))}
            </tbody></table>
          )}
        </section>
        <section class="band" aria-labelledby="day">
          <header><h2 id="day">Last 24 hours</h2></header>
          <Day h={h} />
        </section>
      </div>
    </div>
  );
}

function Fine({ h }: { h: Home }) {
  const all = h.day.success + h.day.failed + h.day.cancelled;
  if (all === 0 && h.running.length === 0 && h.next.length === 0)
    return (
      <div class="first-steps">
        <p>Nothing has run here yet. Three steps to the first run:</p>
        <ol>
          <li>Put a workflow file into the watched directory: <code>gowtf help yaml</code> shows how one looks.</li>
          <li>It appears under <a href="/workflows">Workflows</a> as soon as it is saved.</li>
          <li>Press its start button, or say <code>gowtf start NAME</code>.</li>
        </ol>
      </div>
    );
  return (
    <p class="empty fine"><Shape state="success" /> Nothing needs you.{all ? ` ${count(h.day.success)} of ${plural(all, "run")} fine in 24 hours.` : ""}</p>
  );
}

function NeedRow({ n }: { n: Need }) {
  const to = n.run
    ? `/r/${n.run}${n.task ? `/t/${enc(n.task)}` : ""}`
    : n.workflow ? (n.kind === "missed" ? "/schedule?outcome=missed" : `/w/${enc(n.workflow)}${n.kind === "broken" ? "?tab=definition" : ""}`) : "/system#problems";
  const [name, words] = named(n);
  return (
    <li data-row>
      <Shape state={n.kind === "failed" ? "failed" : n.kind === "missed" ? "missed" : "broken"} label={n.kind} />
      <a class="need-line" href={to}>
        <span class="need-name">{name}{n.run ? <span class="num"> #{n.run}</span> : null}</span>
        <span class="need-text">{n.task && !words.startsWith(n.task) ? `${n.task}: ` : ""}{words}</span>
        {n.count_in_row > 1 && <span class="need-row">{ordinal(n.count_in_row)} {n.kind === "failed" ? "failure" : "time"} in a row</span>}
      </a>
      <span class="num faint"><When t={n.at} /></span>
      {n.kind === "failed" && n.run !== null && (
        <span class="acts">
          {n.task && <a class="button" href={`/r/${n.run}/t/${enc(n.task)}/log`}>Log</a>}
          <button type="button" disabled={!!cannot()} title={cannot()}
            onClick={() => get<Run>(`/runs/${n.run}`).then((run) => retryRun(run), complain)}>Retry</button>
        </span>
      )}
    </li>
  );
}

/** What it is about, and what is the matter: a file is named with its line. */
function named(n: Need): [string, string] {
  const file = n.kind === "broken" ? /^(.+?): line (\d+): (.*)$/s.exec(n.text) : null;
  if (file) return [`${file[1]}:${file[2]}`, file[3]!];
  const colon = n.workflow === null ? n.text.indexOf(": ") : -1;
  return colon > 0 ? [n.text.slice(0, colon), n.text.slice(colon + 2)] : [n.workflow ?? "file", n.text];
}

function ordinal(n: number): string {
  const end = n % 100 > 10 && n % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${end}`;
}

function RunningRow({ r }: { r: Home["running"][number] }) {
  const at = ms(r.started_at);
  return (
    <li data-row>
      <Shape state={r.state} label={r.state} />
      <RunLink run={r} />
      <Progress run={r} />
      <span class="num">{r.tasks_done} of {r.tasks_total}</span>
      <span class="num">{at === null ? "" : elapsed(now.value - at)} <span class="faint">{eta(r)}</span></span>
      <span class="faint cut">{r.waiting || r.wait || r.running_tasks.join(", ")}</span>
    </li>
  );
}

function Day({ h }: { h: Home }) {
  const d = h.day;
  const most = Math.max(1, ...d.hours.map((x) => x.total));
  const words = [
    [d.success, "succeeded", "success"], [d.failed, "failed", "failed"],
    [d.cancelled, "cancelled", "cancelled"], [d.missed, "missed", "missed"],
  ] as const;
  return (
    <div class="day">
      <p class="figures">
        {words.map(([n, word, state]) => (
          <a key={word} class={n ? "" : "none"} href={state === "missed" ? "/schedule" : `/runs?state=${state}`}>
            <b>{count(n)}</b> <Shape state={state} /> {word}
          </a>
        ))}
      </p>
      <svg class="hours" viewBox={`0 0 ${d.hours.length * 14} 48`} preserveAspectRatio="none" role="img"
        aria-label={`runs per hour, at most ${most}; ${d.failed} failed`}
        onClick={(e) => {
          const box = (e.currentTarget as Element).getBoundingClientRect();
          const hour = d.hours[Math.floor(((e.clientX - box.left) / box.width) * d.hours.length)];
          if (hour) go(`/runs?since=${hour.at}&until=${new Date(Date.parse(hour.at) + 3_600_000).toISOString()}`);
        }}>
        {d.hours.map((x, i) => {
          const full = x.total ? Math.max(3, (42 * x.total) / most) : 1;
          const bad = x.total ? (full * x.failed) / x.total : 0;
          return (
            <g key={x.at}>
              <title>{`${when(x.at)}: ${plural(x.total, "run")}${x.failed ? `, ${x.failed} failed` : ""}`}</title>
              <rect x={i * 14} y="0" width="14" height="48" fill="transparent" />
              <rect class={x.total ? "bar-quiet" : "bar-none"} x={i * 14 + 2} y={47 - full} width="10" height={full} />
              {x.failed > 0 && <rect class="bar-red" x={i * 14 + 2} y={47 - Math.max(3, bad)} width="10" height={Math.max(3, bad)} />}
            </g>
          );
        })}
      </svg>
    </div>
  );
}
