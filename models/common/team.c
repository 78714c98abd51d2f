#include "models/common/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* How often a thread looks for work, or for the end of it, before it sleeps: some 50 microseconds. */
enum { PATIENCE = 1000, MEMBERS_MAX = 256 };

static struct {
  pthread_mutex_t lock; /* of all that follows */
  pthread_cond_t work;  /* a job was posted */
  pthread_cond_t idle;  /* the last member left the job */
  int members;          /* threads that exist, besides callers */
  int asleep;           /* members that wait on `work` */
  bool busy;            /* a caller has a job open */
  int wanted;           /* members that may still join it */
  void (*body)(void *);
  void *context;
  atomic_int inside;  /* members at work on it */
  atomic_uint posted; /* jobs ever posted */
} team = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .idle = PTHREAD_COND_INITIALIZER};

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/* Called with the lock held: runs the open job if it still wants this member. */
static void join_job(void) {
  if (team.wanted == 0) return;
  team.wanted--;
  atomic_fetch_add(&team.inside, 1);
  void (*body)(void *) = team.body;
  void *context = team.context;
  pthread_mutex_unlock(&team.lock);
  body(context);
  pthread_mutex_lock(&team.lock);
  if (atomic_fetch_sub(&team.inside, 1) == 1) pthread_cond_signal(&team.idle);
}

static void *member(void *unused) {
  (void)unused;
  pthread_mutex_lock(&team.lock);
  for (;;) {
    const unsigned seen = atomic_load(&team.posted);
    join_job();
    pthread_mutex_unlock(&team.lock);
    for (int look = 0; look < PATIENCE && atomic_load(&team.posted) == seen; look++) relax();
    pthread_mutex_lock(&team.lock);
    team.asleep++;
    while (atomic_load(&team.posted) == seen) pthread_cond_wait(&team.work, &team.lock);
    team.asleep--;
  }
  return NULL;
}

/* A forked child has only its own thread: the team is empty there. */
static void after_fork(void) {
  pthread_mutex_init(&team.lock, NULL);
  pthread_cond_init(&team.work, NULL);
  pthread_cond_init(&team.idle, NULL);
  team.members = team.asleep = team.wanted = 0;
  team.busy = false;
  atomic_store(&team.inside, 0);
}

/* Called with the lock held. Fewer threads than asked for are no failure: the caller does the work. */
static void grow(int members) {
  static bool registered;
  if (!registered) registered = pthread_atfork(NULL, NULL, after_fork) == 0;
  if (!registered) return;
  for (; team.members < members && team.members < MEMBERS_MAX; team.members++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, member, NULL) != 0) return;
    pthread_detach(thread);
  }
}

static bool open_job(int wanted, void (*body)(void *), void *context) {
  pthread_mutex_lock(&team.lock);
  const bool free = !team.busy;
  if (free) {
    grow(wanted);
    team.busy = true;
    team.wanted = wanted;
    team.body = body;
    team.context = context;
    atomic_fetch_add(&team.posted, 1);
    if (team.asleep > 0) pthread_cond_broadcast(&team.work);
  }
  pthread_mutex_unlock(&team.lock);
  return free;
}

static void close_job(void) {
  pthread_mutex_lock(&team.lock);
  team.wanted = 0; /* who has not begun need not */
  pthread_mutex_unlock(&team.lock);
  for (int look = 0; look < PATIENCE && atomic_load(&team.inside) > 0; look++) relax();
  pthread_mutex_lock(&team.lock);
  while (atomic_load(&team.inside) > 0) pthread_cond_wait(&team.idle, &team.lock);
  team.busy = false;
  pthread_mutex_unlock(&team.lock);
}

void wal_team_run(int threads, void (*body)(void *context), void *context) {
  const bool open = threads > 1 && open_job(threads - 1, body, context);
  body(context);
  if (open) close_job();
}
