#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast gowtf is, beside the physical limit and what one would pick instead.

Rounds are interleaved (A B C, A B C), medians are printed with their spread,
and what counts are ratios within one run: machines are noisy. Every timed run
also checks that each task ran exactly once.

    bench.py [--rounds N] [SECTION...]

Sections: width chain latency api big files idle boot peers
"""
import argparse, http.client, json, os, shutil, signal, socket, sqlite3, statistics
import subprocess, sys, tempfile, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("GOWTF_BUILD") or os.path.join(HERE, "..", "..", "build")
GOWTF = os.path.join(BUILD, "gowtf")
RAW = os.path.join(BUILD, "tests", "bench", "raw")
STAMP = os.path.join(BUILD, "tests", "bench", "stamp")
TICK = os.sysconf("SC_CLK_TCK")


def say(text):
    print(text, flush=True)


def spread(values, form="%.2f"):
    return "%s (%s–%s)" % tuple(form % v for v in
                                (statistics.median(values), min(values), max(values)))


class Engine:
    """The real binary on a directory of its own."""

    def __init__(self, flows, slots=4):
        self.dir = tempfile.mkdtemp(prefix="gowtf-bench-")
        self.home = os.path.join(self.dir, "home")
        self.flows = os.path.join(self.dir, "flows")
        os.mkdir(self.flows)
        for name, text in flows.items():
            with open(os.path.join(self.flows, name + ".yaml"), "w") as f:
                f.write(text)
        started = time.monotonic()
        self.process = subprocess.Popen(
            [GOWTF, "serve", "-C", self.home, "--workflows", self.flows, "--listen",
             "127.0.0.1:0", "--slots", str(slots)], stdout=subprocess.PIPE,
            stderr=open(os.path.join(self.dir, "stderr"), "w"), text=True)
        self.port = None
        for line in self.process.stdout:
            if "http://" in line:
                self.port = int(line.split("http://127.0.0.1:")[1].split("/")[0])
                break
        assert self.port, open(os.path.join(self.dir, "stderr")).read()
        self.boot_s = time.monotonic() - started
        self.token = open(os.path.join(self.home, "token")).read().strip()
        self.http = http.client.HTTPConnection("127.0.0.1", self.port)

    def call(self, method, path, body=None, http_=None):
        h = http_ or self.http
        h.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None,
                  {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"})
        r = h.getresponse()
        data = r.read()
        assert r.status < 300, (r.status, data)
        return json.loads(data)

    def sql(self, text, *args):
        db = sqlite3.connect("file:%s/gowtf.db?mode=ro" % self.home, uri=True)
        try:
            return db.execute(text, args).fetchall()
        finally:
            db.close()

    def run(self, name):
        """Run it to its end; seconds from the wish to the end of the run, as rows tell."""
        run = self.call("POST", "/workflows/%s/runs" % name, {"params": {}})["id"]
        while True:
            row = self.sql("select state, created_at, finished_at, tasks_total"
                           " from workflow_runs where id=?", run)[0]
            if row[0] not in ("queued", "running"):
                break
            time.sleep(0.02)
        assert row[0] == "success", row
        once = self.sql("select count(*), count(distinct task) from attempts where run_id=?"
                        " and state='success'", run)[0]
        assert once == (row[3], row[3]), (once, row)
        self.last = run
        return (row[2] - row[1]) / 1000

    def pids(self):
        """The parent, the daemon and the keeper."""
        found = [self.process.pid]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                args = open("/proc/%s/cmdline" % pid).read().split("\0")
                parent = int(open("/proc/%s/stat" % pid).read().rsplit(") ", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == self.process.pid or ("keeper" in args and self.home in args):
                found.append(int(pid))
        return sorted(set(found))

    def cpu_s(self):
        total = 0
        for pid in self.pids():
            f = open("/proc/%d/stat" % pid).read().rsplit(") ", 1)[1].split()
            total += (int(f[11]) + int(f[12])) / TICK
        return total

    def rss_mib(self):
        """Of all our processes; pages shared between them counted once (PSS)."""
        kib = 0
        for pid in self.pids():
            for line in open("/proc/%d/smaps_rollup" % pid):
                if line.startswith("Pss:"):
                    kib += int(line.split()[1])
        return kib / 1024

    def switches(self):
        total = 0
        for pid in self.pids():
            for task in os.listdir("/proc/%d/task" % pid):
                for line in open("/proc/%d/task/%s/status" % (pid, task)):
                    if line.startswith("voluntary_ctxt_switches"):
                        total += int(line.split()[1])
        return total

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process.stdout.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def flow(tasks):
    return "tasks:\n" + "".join(tasks)


def independent(n, command="[/bin/sh, -c, 'true']"):
    return flow("  - {name: t%d, command: %s}\n" % (i, command) for i in range(n))


def chain(n, command="[/bin/sh, -c, 'true']"):
    return flow("  - {name: t%d, command: %s%s}\n" %
                (i, command, ", depends_on: [t%d]" % (i - 1) if i else "") for i in range(n))


def raw_rate(n, width):
    out = subprocess.check_output([RAW, str(n), str(width)], text=True)
    return float(out.split()[0])


def make_rate(n, width, ninja):
    d = tempfile.mkdtemp(prefix="gowtf-bench-")
    try:
        if ninja:
            text = "rule r\n  command = sh -c true\n" + "".join(
                "build t%d: r\n" % i for i in range(n))
            open(os.path.join(d, "build.ninja"), "w").write(text)
            argv = ["ninja", "-j%d" % width, "--quiet"]
        else:
            names = " ".join("t%d" % i for i in range(n))
            text = ".PHONY: all %s\nall: %s\n%s:\n\t@sh -c true; :\n" % (names, names, names)
            # make itself runs a simple line without a shell: ask for what others do
            text = text.replace("@sh -c true; :", "@sh -c 'true'")
            open(os.path.join(d, "Makefile"), "w").write(text)
            argv = ["make", "-s", "-j%d" % width]
        t = time.monotonic()
        subprocess.check_call(argv, cwd=d, stdout=subprocess.DEVNULL)
        return n / (time.monotonic() - t)
    finally:
        shutil.rmtree(d)


def bench_width(rounds, n=1500):
    for width in (2, 4, 16):
        ours, raws, cpus, makes, ninjas = [], [], [], [], []
        with Engine({"wide": independent(n)}, slots=width) as g:
            g.run("wide")  # files and statements are warm, as raw's are
            for _ in range(rounds):
                raws.append(raw_rate(n, width))
                cpu = g.cpu_s()
                ours.append(n / g.run("wide"))
                cpus.append((g.cpu_s() - cpu) / n * 1e6)
                makes.append(make_rate(n, width, False))
                ninjas.append(make_rate(n, width, True))
        base = statistics.median(raws)
        say("width %d ratio %s   %.0f tasks/s, raw %.0f, make %.2f, ninja %.2f of raw; "
            "own CPU %s us a task" %
            (width, spread([o / r for o, r in zip(ours, raws)]), statistics.median(ours), base,
             statistics.median(makes) / base, statistics.median(ninjas) / base,
             spread(cpus, "%.0f")))


def bench_chain(rounds, n=1000):
    ours, raws = [], []
    with Engine({"chain": chain(n)}) as g:
        g.run("chain")
        for _ in range(rounds):
            raws.append(raw_rate(n, 1))
            ours.append(n / g.run("chain"))
    say("chain of %d ratio %s   %.0f tasks/s, raw %.0f" %
        (n, spread([o / r for o, r in zip(ours, raws)]), statistics.median(ours),
         statistics.median(raws)))


def bench_latency(rounds, n=300):
    """From the end of a task to the first instruction of the next."""
    gaps = []
    with Engine({"stamps": chain(n, json.dumps([os.path.abspath(STAMP)]))}) as g:
        for _ in range(rounds):
            g.run("stamps")
            times = []
            for i in range(n):
                h = g.http
                h.request("GET", "/api/v1/runs/%d/tasks/%d/attempts/1/log" % (g.last, i), None,
                          {"Authorization": "Bearer " + g.token})
                times.append([int(x) for x in h.getresponse().read().split()])
            gaps += [(b[0] - a[1]) / 1e6 for a, b in zip(times, times[1:])]
    gaps.sort()
    say("end of a task to the next one's first instruction: p50 %.2f ms, p99 %.2f ms, max %.2f ms"
        % (gaps[len(gaps) // 2], gaps[len(gaps) * 99 // 100], gaps[-1]))


def bench_api(rounds, runs=1000, clients=4, flows=100):
    text = flow(["  - {name: a, script: 'true'}\n", "  - {name: b, script: 'true'}\n",
                 "  - {name: c, script: 'true'}\n"])
    with Engine({"w%d" % i: text for i in range(flows)}, slots=4) as g:
        for _ in range(rounds):
            times = []

            def client(k):
                h = http.client.HTTPConnection("127.0.0.1", g.port)
                for i in range(runs // clients):
                    t = time.monotonic()
                    g.call("POST", "/workflows/w%d/runs" % ((k + i * clients) % flows),
                           {"params": {}}, h)
                    times.append((time.monotonic() - t) * 1000)

            before = g.sql("select coalesce(max(id), 0) from workflow_runs")[0][0]
            t = time.monotonic()
            threads = [threading.Thread(target=client, args=(k,)) for k in range(clients)]
            [x.start() for x in threads]
            [x.join() for x in threads]
            accepted = time.monotonic() - t
            while g.sql("select count(*) from workflow_runs where id > ? and state = 'success'",
                        before)[0][0] < runs:
                time.sleep(0.05)
            done = time.monotonic() - t
            times.sort()
            say("api: %d runs of 3 tasks: accepted at %.0f/s, finished at %.0f runs/s; durable "
                "answer p50 %.2f ms, p99 %.2f ms" % (runs, runs / accepted, runs / done,
                times[len(times) // 2], times[len(times) * 99 // 100]))


def bench_big(rounds, n=100000):
    with Engine({"small": independent(1000)}) as g:
        g.run("small")
        small = [1000 / g.run("small") for _ in range(max(3, rounds))]
    with Engine({}) as g:
        path = os.path.join(g.flows, "big.yaml")
        text = independent(n)
        t = time.monotonic()
        open(path, "w").write(text)
        while not g.sql("select 1 from workflows where name = 'big'"):
            time.sleep(0.01)
        loaded = time.monotonic() - t
        t = time.monotonic()
        run = g.call("POST", "/workflows/big/runs", {"params": {}})["id"]
        accepted = time.monotonic() - t
        peak = 0
        while True:
            row = g.sql("select state, created_at, finished_at from workflow_runs where id=?",
                        run)[0]
            for p in g.pids():
                try:  # a child that has not reached its exec looks like the keeper
                    lines = open("/proc/%d/status" % p).readlines()
                except OSError:
                    continue
                peak = max([peak] + [int(x.split()[1]) / 1024 for x in lines
                                     if x.startswith("VmHWM")])
            if row[0] not in ("queued", "running"):
                break
            time.sleep(0.5)
        rate = n / ((row[2] - row[1]) / 1000)
        once = g.sql("select count(*), count(distinct task) from attempts where run_id=?", run)[0]
        assert row[0] == "success" and once == (n, n), (row, once)
        say("%d tasks: file in effect after %.2f s, run accepted in %.2f s, %.0f tasks/s = %.2f of "
            "1,000 tasks; largest process %.0f MiB" %
            (n, loaded, accepted, rate, rate / statistics.median(small), peak))


def bench_files(rounds, n=10000):
    text = "schedule: '%d %d * * *'\n" + flow(["  - {name: a, script: 'true'}\n"])
    flows = {"w%d" % i: text % (i % 60, i // 60 % 24) for i in range(n)}
    with Engine(flows) as g:
        assert g.sql("select count(*) from workflows")[0][0] == n
        say("%d files: first start to serving %.2f s" % (n, g.boot_s))
        times = []
        for i in range(20):
            t = time.monotonic()
            open(os.path.join(g.flows, "w%d.yaml" % i), "a").write("# %d\n" % i)
            while g.sql("select v.number from workflows w join workflow_versions v on"
                        " v.id = w.version_id where w.name = ?", "w%d" % i)[0][0] != 2:
                time.sleep(0.002)
            times.append((time.monotonic() - t) * 1000)
            time.sleep(0.2)
        say("a saved file is in effect after %s ms" % spread(times, "%.0f"))


def bench_idle(rounds, seconds=20):
    with Engine({"w": "schedule: '0 0 1 1 *'\n" + independent(3)}) as g:
        g.run("w")
        time.sleep(2)
        before, cpu = g.switches(), g.cpu_s()
        time.sleep(seconds)
        say("idle: %.1f MiB in all processes, %.2f wake-ups/s, %.2f ms CPU/s" %
            (g.rss_mib(), (g.switches() - before) / seconds, (g.cpu_s() - cpu) / seconds * 1000))


def bench_boot(rounds):
    times = []
    for _ in range(max(5, rounds)):
        with Engine({}) as g:
            times.append(g.boot_s * 1000)
    say("cold start to serving, empty store: %s ms" % spread(times, "%.0f"))


def dagu():
    """The peer, from npm, kept in the build directory; None if it cannot be had."""
    where = os.path.join(BUILD, "peers")
    binary = os.path.join(where, "node_modules/@dagu-org/dagu-linux-x64/bin/dagu")
    if not os.path.exists(binary):
        os.makedirs(where, exist_ok=True)
        subprocess.call(["npm", "install", "--silent", "--ignore-scripts", "--no-save", "--prefix",
                         where, "@dagu-org/dagu-linux-x64@1.30.2"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if os.path.exists(binary):
            os.chmod(binary, 0o755)
    return binary if os.path.exists(binary) else None


def dagu_rate(binary, n, width):
    d = tempfile.mkdtemp(prefix="gowtf-bench-")
    try:
        path = os.path.join(d, "wide.yaml")
        with open(path, "w") as f:
            f.write("type: graph\nmaxActiveSteps: %d\nsteps:\n" % width)
            f.writelines("  - name: t%d\n    command: sh -c true\n" % i for i in range(n))
        env = dict(os.environ, DAGU_HOME=os.path.join(d, "home"))
        t = time.monotonic()
        subprocess.check_call([binary, "start", path], env=env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
        return n / (time.monotonic() - t)
    finally:
        shutil.rmtree(d, ignore_errors=True)


def bench_peers(rounds, width=4):
    binary = dagu()
    if not binary:
        say("dagu: not to be had from npm here; left out")
        return
    for n in (100, 300):
        theirs, ours = [], []
        with Engine({"wide": independent(n)}, slots=width) as g:
            g.run("wide")
            for _ in range(min(rounds, 3)):
                theirs.append(dagu_rate(binary, n, width))
                ours.append(n / g.run("wide"))
        say("dagu, %d tasks, width %d: %.0f tasks/s; gowtf %.0f, ratio %s" %
            (n, width, statistics.median(theirs), statistics.median(ours),
             spread([o / t for o, t in zip(ours, theirs)], "%.0f")))


def main():
    sections = ["width", "chain", "latency", "api", "big", "files", "idle", "boot", "peers"]
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("section", nargs="*", default=sections)
    o = p.parse_args()
    for name in o.section:
        globals()["bench_" + name](o.rounds)


if __name__ == "__main__":
    main()
