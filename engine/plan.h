/* What a run will do, and why: each point is cached, failed last time, stale, damaged or new. */
#ifndef WAL_ENGINE_PLAN_H
#define WAL_ENGINE_PLAN_H

#include <stdio.h>

#include "engine/result.h"

typedef enum {
  WAL_POINT_CACHED,
  WAL_POINT_NEW,     /* nothing cached but for other values of the swept parameters */
  WAL_POINT_STALE,   /* cached for another constant or version: `why` names it */
  WAL_POINT_FAILED,  /* ran and failed: runs again */
  WAL_POINT_DAMAGED, /* its cache entry cannot be read: recomputed */
  WAL_POINT_FORCED,  /* cached, but --force */
} wal_point_state;

typedef struct {
  wal_point_state state;
  char *key;   /* wal_point_key */
  char *entry; /* RESULTS/cache/NAME/HASH.h5 */
  char *log;   /* RESULTS/logs/NAME/HASH.log */
  char *why;   /* "" when cached */
} wal_planned;

typedef struct {
  int count;             /* points */
  int todo;              /* points to run */
  wal_planned *points;   /* [count] */
  wal_outcome *outcomes; /* [count] filled for cached points; the run fills the rest */
} wal_plan;

/* Of points that run on `device`. Reads the cache; changes nothing on disk. */
wal_status wal_plan_make(const wal_config *config, const wal_device *device, const char *results, bool force,
                         wal_plan **out);
void wal_plan_free(wal_plan *plan); /* accepts NULL */

const char *wal_point_state_name(wal_point_state state); /* "cached", "new", ... */
/* One line: "15 points: 12 cached, 2 new, 1 failed last time". */
void wal_plan_summary(const wal_plan *plan, char *out, size_t size);
/* A line per point with its state, label and reason. */
void wal_plan_print(const wal_plan *plan, const wal_config *config, FILE *out);

/* What changed between the key text of an entry and the key of a point, as "n 1024 -> 2048, models 1 -> 2";
   returns the number of differences, and through *constant whether one of them is not swept. For tests. */
int wal_key_difference(const char *from, const char *to, const wal_config *config, bool *constant, char *out,
                       size_t size);

#endif
