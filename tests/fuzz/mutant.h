/* Mutations of a valid text, drawn from Philox, so that a failing one comes back. */
#ifndef WAL_TESTS_FUZZ_MUTANT_H
#define WAL_TESTS_FUZZ_MUTANT_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "models/common/rng.h"
#include "models/common/status.h"

enum { MUTANT_SEED = 20261121, MUTANT_EDITS_MAX = 3, MUTANT_BYTES_MAX = 4096 };

/* What the grammar is sensitive to. */
typedef struct {
  const char *const *list; /* [count] */
  size_t count;
} mutant_tokens;

typedef struct {
  uint64_t next; /* element of the stream */
  char text[MUTANT_BYTES_MAX + 1];
  size_t length;
} mutant;

static inline size_t mutant_below(mutant *m, size_t bound) {
  return (size_t)wal_rng_below(MUTANT_SEED, WAL_STREAM_TEST, m->next++, bound);
}

/* Replaces `cut` bytes at `at` by `length` new ones, as far as they fit. */
static inline void mutant_splice(mutant *m, size_t at, size_t cut, const char *bytes, size_t length) {
  if (cut > m->length - at) cut = m->length - at;
  if (m->length - cut + length > MUTANT_BYTES_MAX) return;
  memmove(m->text + at + length, m->text + at + cut, m->length - at - cut);
  memcpy(m->text + at, bytes, length);
  m->length += length - cut;
  m->text[m->length] = '\0';
}

static inline void mutant_edit(mutant *m, mutant_tokens tokens) {
  size_t at = mutant_below(m, m->length + 1), other = mutant_below(m, m->length + 1);
  const char *token = tokens.list[mutant_below(m, tokens.count)];
  char copy[64], byte = (char)(1 + mutant_below(m, 255));
  size_t length = mutant_below(m, sizeof copy);
  if (length > m->length - other) length = m->length - other;
  memcpy(copy, m->text + other, length);
  switch (mutant_below(m, 5)) {
    case 0:
      mutant_splice(m, at, 0, token, strlen(token));
      return;
    case 1:
      mutant_splice(m, at, 1, token, strlen(token));
      return;
    case 2:
      mutant_splice(m, at, 1, &byte, 1);
      return;
    case 3:
      mutant_splice(m, at, mutant_below(m, 40), "", 0);
      return;
    default:
      mutant_splice(m, at, 0, copy, length);
  }
}

/* Mutant k of a text: one edit to MUTANT_EDITS_MAX. */
static inline void mutant_make(mutant *m, uint64_t k, const char *text, mutant_tokens tokens) {
  *m = (mutant){.next = k << 16, .length = strlen(text)};
  memcpy(m->text, text, m->length + 1);
  for (size_t edits = 1 + mutant_below(m, MUTANT_EDITS_MAX); edits > 0; edits--) mutant_edit(m, tokens);
}

/* ---- texts that are whole files ---- */

/* Reads one text, checking what comes of it; true when it was taken. */
typedef bool (*mutant_read)(const char *text, size_t length, int number);

/* What must be true of a file "fuzz.yaml" that was refused. */
static inline void mutant_assert_refusal(wal_status status, int number) {
  ck_assert_msg(status == WAL_E_INPUT, "mutant %d: %s: %s", number, wal_status_text(status), wal_error());
  ck_assert_msg(strncmp(wal_error(), "fuzz.yaml", 9) == 0, "mutant %d: \"%s\"", number, wal_error());
}

/* `count` mutants of the text. Both ends are reached: they are neither all nonsense nor all harmless. */
static inline void mutant_try_all(int count, const char *text, mutant_tokens tokens, mutant_read read) {
  int taken = 0;
  mutant m;
  for (int k = 0; k < count; k++) {
    mutant_make(&m, (uint64_t)k, text, tokens);
    taken += read(m.text, m.length, k);
  }
  ck_assert_int_gt(taken, count / 100);
  ck_assert_int_lt(taken, count / 2);
}

/* Every prefix of the text; the whole of it is taken. */
static inline void mutant_try_prefixes(const char *text, mutant_read read) {
  const size_t all = strlen(text);
  for (size_t length = 0; length < all; length++) read(text, length, (int)length);
  ck_assert_msg(read(text, all, (int)all), "%s", wal_error());
}

#endif
