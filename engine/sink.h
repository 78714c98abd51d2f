/* The receiving end of a running point: rows, traces and progress, collected into a wal_outcome. */
#ifndef WAL_ENGINE_SINK_H
#define WAL_ENGINE_SINK_H

#include "engine/blobs.h"
#include "engine/result.h"

/* Called for wal_sink_progress, at most ten times a second. */
typedef void (*wal_sink_listener)(void *context, double fraction, const char *what);

/* Rows have the experiment's columns and its key parameters that have a `when`. listener may be NULL. NULL:
   no memory. */
wal_sink *wal_sink_new(const wal_experiment *experiment, wal_sink_listener listener, void *context);
void wal_sink_free(wal_sink *sink); /* accepts NULL */
/* Where wal_sink_save keeps and wal_sink_load looks; copied, the folder's name borrowed. Without it nothing
   is kept. */
void wal_sink_keep_in(wal_sink *sink, const wal_blobs *blobs);

/* Moves rows and traces into *outcome (zeroed before) with the status and message that run_point ended with.
   A point that says it succeeded but reported NaN, or no row at all, is WAL_E_DIVERGED or WAL_E_INTERNAL: no
   NaN reaches a table without a mark. */
wal_status wal_sink_finish(wal_sink *sink, wal_status status, wal_outcome *outcome);

#endif
