// SPDX-License-Identifier: MIT
//
// fixtures.mjs: the workflows the pages are looked at with.

export const FILES = {
  "nightly-etl.yaml": `
name: nightly-etl
description: Copies the orders of the day into the warehouse.
tags: [etl, finance]
schedule: "15 2 * * *"
timezone: Europe/Berlin
params:
  day: "2026-11-22"
  region: eu
tasks:
  - name: fetch_orders
    script: echo "orders of $GOWTF_PARAM_DAY"; sleep 0.15
  - name: fetch_customers
    script: echo "customers"; sleep 0.25
  - name: validate
    depends_on: [fetch_orders, fetch_customers]
    script: echo "1203 rows are fine"
  - name: load_eu
    depends_on: [validate]
    script: sleep 0.2; echo "loaded eu"
  - name: load_us
    depends_on: [validate]
    script: sleep 0.35; echo "loaded us"
  - name: report
    depends_on: [load_eu, load_us]
    script: printf '\\033[32mall is well\\033[0m\\n'
`,
  "payroll.yaml": `
name: payroll
description: Pays everybody, once a month.
tags: [finance]
schedule: "0 3 * * 1-5"
timezone: Europe/Berlin
params:
  day: "2026-11-22"
tasks:
  - name: extract
    script: sleep 0.2; for i in 1 2 3; do echo "table $i"; done
  - name: check_archive
    depends_on: [extract]
    script: echo "the archive is there"
  - name: transform
    depends_on: [extract]
    retries: 2
    retry_delay: 300ms
    script: |
      i=1
      while [ $i -le 200 ]; do echo "$i line $((i - 1)) of work"; i=$((i + 1)); done
      printf '\\033[1;31mERROR\\033[0m: column '"'salary'"' missing in row 42\\n' >&2
      exit 3
  - name: publish
    depends_on: [transform, check_archive]
    script: echo published
  - name: send_slips
    depends_on: [publish]
    script: echo sent
  - name: page_somebody
    depends_on: [extract]
    condition: extract.failed
    script: echo "extract failed"
  - name: cleanup
    depends_on: [transform]
    condition: always
    script: echo cleaned
`,
  "video-encode.yaml": `
name: video-encode
description: Runs until somebody stops it.
tags: [media]
tasks:
  - name: probe
    script: echo "1920x1080"
  - name: encode
    depends_on: [probe]
    script: |
      trap 'echo stopped; exit 143' TERM
      i=0
      while [ $i -lt 4000 ]; do i=$((i + 1)); echo "frame $i"; sleep 0.05; done
  - name: upload
    depends_on: [encode]
    script: echo uploaded
`,
  "fan-300.yaml": `
name: fan-300
description: Three hundred shards between a split and a merge.
tasks:
  - name: split
    script: echo split
${Array.from({ length: 300 }, (_, i) => `  - {name: shard-${String(i + 1).padStart(3, "0")}, depends_on: [split], script: "true"}`).join("\n")}
  - name: merge
    depends_on: [${Array.from({ length: 300 }, (_, i) => `shard-${String(i + 1).padStart(3, "0")}`).join(", ")}]
    script: echo merged
`,
  "hostile.yaml": `
name: hostile
description: '<img src=x onerror=alert(1)> & "quotes" <script>alert(2)</script>'
tags: ["<b>bold</b>"]
params:
  text: '<svg onload=alert(3)>'
tasks:
  - name: speak
    description: '<script>alert(4)</script>'
    script: |
      echo '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
      printf '\\033[38;5;208morange\\033[0m \\033[48;2;10;20;30;97mdirect\\033[0m \\033]8;;javascript:alert(5)\\007link\\033]8;;\\007 \\033[2Jend\\n'
      printf 'nul\\000inside, bell\\007, tab\\there\\n'
      printf 'right to left: \\342\\200\\256gnirts\\n'
      printf 'broken utf-8: \\377\\376\\n'
      printf 'progress 10%%\\rprogress 100%%\\n'
      head -c 1048576 /dev/zero | tr '\\0' 'x'; echo
      echo "last line of $GOWTF_PARAM_TEXT"
`,
  "big-log.yaml": `
name: big-log
tasks:
  - name: count
    script: seq -f 'line number %.0f' 1 60000
`,
  "quick.yaml": `
name: quick
tasks:
  - name: only
    script: echo done
`,
  "invoices.yaml": `
name: invoices
tasks:
  - name: fetch
    script: echo fetched
  - name: validate
    depends_on: [fetchh]
    script: ./check.py
`,
};
