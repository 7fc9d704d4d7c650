// SPDX-License-Identifier: MIT
//
// hub.ts: the one connection over which the server tells what changed.
//
// It lives in a SharedWorker, so that eight tabs cost one connection, and in
// the page itself where there are no such workers. It reads the event stream
// with fetch, because an EventSource hides what we must know: the status of a
// refusal, and the comment lines that prove a silent link is alive.
//
// What must stay true: `seq` is the number of the last event handed on, and a
// new connection asks for what comes after it. So nothing is heard twice and
// nothing is missed, whatever happens to the link.

export type Link = "live" | "catching" | "offline" | "signed-out";

export type FromHub =
  | { kind: "event"; type: string; data: unknown }
  | { kind: "link"; link: Link; since: number };

export type ToHub = { kind: "topics"; topics: string[] } | { kind: "again" } | { kind: "bye" };

const SILENCE_MS = 40_000; // the server comments every 15 s: two may get lost
const WAITS_MS = [150, 300, 600, 1000, 1500]; // between attempts to connect

export class Hub {
  private seq = 0;
  private topics = new Map<unknown, string[]>();
  private abort: AbortController | undefined;
  private failures = 0;
  private linked = false; // once, at least
  private generation = 0;
  private link: Link = "catching";
  private since = Date.now();

  constructor(private tell: (m: FromHub) => void) {}

  /** What `who` wants to hear besides the common topic. */
  subscribe(who: unknown, topics: string[]): void {
    const before = this.wanted();
    this.topics.set(who, topics);
    if (!this.abort || this.wanted() !== before) this.connect();
    else this.tell(this.status());
  }

  leave(who: unknown): void {
    const before = this.wanted();
    this.topics.delete(who);
    if (this.topics.size === 0) this.close();
    else if (this.wanted() !== before) this.connect();
  }

  /** Try at once: the user signed in, or the network is back. */
  again(): void {
    if (this.link !== "live") {
      this.failures = 0;
      this.connect();
    }
  }

  close(): void {
    this.generation++;
    this.abort?.abort();
    this.abort = undefined;
  }

  status(): FromHub {
    return { kind: "link", link: this.link, since: this.since };
  }

  private wanted(): string {
    return [...new Set([...this.topics.values()].flat())].sort().join(",");
  }

  private say(link: Link): void {
    if (link !== this.link) this.since = Date.now();
    this.link = link;
    this.tell(this.status());
  }

  private connect(): void {
    this.close();
    const mine = this.generation;
    const abort = (this.abort = new AbortController());
    void this.listen(abort, mine).then((wait) => {
      if (mine === this.generation && wait >= 0)
        setTimeout(() => mine === this.generation && this.connect(), wait);
    });
  }

  /** Reads until the link ends; answers how long to wait before the next, -1: do not. */
  private async listen(abort: AbortController, mine: number): Promise<number> {
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
    };
    try {
      const extra = this.wanted();
      const topics = extra ? `all,${extra}` : "all";
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.seq) headers["Last-Event-ID"] = String(this.seq);
      heard();
      const answer = await fetch(`/api/v1/stream?topics=${encodeURIComponent(topics)}`, {
        headers,
        signal: abort.signal,
        cache: "no-store",
      });
      if (answer.status === 401) {
        this.say("signed-out");
        return -1;
      }
      if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
      this.failures = 0;
      this.say("live");
      // Nothing numbered was heard yet, so nobody can say what came in between.
      if (this.linked && !this.seq) this.tell({ kind: "event", type: "resync", data: {} });
      this.linked = true;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done || mine !== this.generation) break;
        heard();
        rest = this.read(rest + value);
      }
    } catch {
      // the link is gone: said below
    } finally {
      clearTimeout(silence);
    }
    if (mine !== this.generation) return -1;
    this.say("offline");
    return WAITS_MS[Math.min(this.failures++, WAITS_MS.length - 1)]! * (0.8 + 0.4 * Math.random());
  }

  /** Hands on the whole events in `text`; answers what is left of the last one. */
  private read(text: string): string {
    const blocks = text.split("\n\n");
    const rest = blocks.pop() ?? "";
    for (const block of blocks) {
      let type = "message";
      let id = "";
      const data: string[] = [];
      for (const line of block.split("\n")) {
        if (line.startsWith("event:")) type = line.slice(6).trim();
        else if (line.startsWith("id:")) id = line.slice(3).trim();
        else if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
      }
      if (id) this.seq = Number(id);
      if (data.length === 0) continue;
      try {
        const value = JSON.parse(data.join("\n")) as { seq?: number };
        if (type === "resync" && typeof value.seq === "number") this.seq = value.seq;
        this.tell({ kind: "event", type, data: value });
      } catch {
        // not ours to guess at
      }
    }
    return rest;
  }
}
