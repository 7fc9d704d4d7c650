/* SPDX-License-Identifier: MIT
 *
 * model/limits.h: how much a workflow file may ask of us. Every bound has a
 * reason; an error that meets one says its name. */
#ifndef MODEL_LIMITS_H
#define MODEL_LIMITS_H

/* A workflow of 100,000 tasks with names, edges and short scripts is about
 * 10 MB of text. */
#define FILE_BYTES_MAX ((size_t)16 << 20)

/* Deeper than this nobody reads. libyaml's own work grows with the square of
 * the depth, so it is stopped at the first event beyond. */
#define DEPTH_MAX 64

/* 100,000 tasks make about 1,000,000 nodes; a dense graph of 1,000,000 edges
 * as many again. 48 bytes each. */
#define NODES_MAX 3000000

/* Aliases share their nodes, but whoever reads the tree sees every copy. So
 * the tree as seen may be ten times the tree as written, and small files may
 * repeat themselves a little more. */
#define ALIAS_FACTOR_MAX 10
#define ALIAS_FREE_NODES 1000

/* One anchor a screenful in the largest file. */
#define ANCHORS_MAX 10000

#define TASKS_MAX 250000
#define EDGES_MAX 2000000

#define NAME_BYTES_MAX      128 /* part of paths and of environment values */
#define TAGS_MAX            64
#define SCHEDULES_MAX       100
#define ENV_COUNT_MAX       1000
#define ENV_TOTAL_MAX       1000000 /* over all tasks, `defaults` merged into each; 32 bytes each */
#define ENV_BYTES_MAX       131000 /* Linux refuses an exec with a string of 128 KiB (MAX_ARG_STRLEN) */
#define COMMAND_MAX         4096
#define RETRIES_MAX         10000
#define PARALLEL_MAX        100000
#define EVERY_MIN_MS        1000 /* a run a second is the most a schedule may ask for */
#define CONDITION_BYTES     8192
#define CONDITION_DEPTH     32      /* brackets and `not`s within each other */
#define CONDITION_OPS       1024    /* compiled steps: what one evaluation may cost */
#define CONDITION_OPS_TOTAL 2000000 /* of all tasks; `defaults` may give each a condition */

/* Conditions may look past their direct parents. All such looks together may
 * cost this many steps of 64 at once along the graph: about half a second. */
#define REACH_STEPS_MAX ((size_t)200000000)

/* Problems kept of one file; further ones are only counted. */
#define PROBLEMS_MAX 1000

/* "Did you mean" compares with at most this many names in all per file, so that
 * a large file with many mistakes is still answered at once. */
#define NEAREST_NAMES_MAX 400000

#endif
