/* A team of threads that wait for work. Private to models/common: loops are in parallel.h.

   Unlike an OpenMP region, the caller never waits for a thread that has not begun: where other programs hold
   the processors, a loop goes on at the caller's own pace instead of stalling at a barrier. */
#ifndef WAL_COMMON_TEAM_H
#define WAL_COMMON_TEAM_H

/* Calls body(context) on the calling thread and on up to threads - 1 others, those that come in time, and
   returns when all that began have finished. body shares out its work itself and is done when it finds none
   left. A call from inside a body, or from a second thread at the same time, runs body on its caller alone.
   Safe in a forked child. */
void wal_team_run(int threads, void (*body)(void *context), void *context);

#endif
