/* What the tests of mechanisms, attacks and laws share. */
#ifndef WAL_TESTS_MECHANISM_FIXTURE_H
#define WAL_TESTS_MECHANISM_FIXTURE_H

#include <check.h>

#include "models/mechanism/mechanism.h"

#define ck_ok(call) ck_assert_msg((call) == WAL_OK, "%s", wal_error())

/* Held-out instances of the law (17) with b = budget N. */
static inline wal_owned_instances draw_instances(int64_t count, int n, int m, double budget, uint64_t seed) {
  wal_law law = wal_law_default(n, m, seed);
  wal_owned_instances out;
  law.budget = budget;
  ck_ok(wal_instances_create(count, n, m, false, &out));
  ck_ok(wal_law_draw(&law, 0, &out));
  return out;
}

static inline wal_mechanism *make_mechanism(const char *name, int n, int m) {
  wal_mechanism *f = NULL;
  ck_ok(wal_mechanism_create(name, n, m, NULL, &f));
  return f;
}

#endif
