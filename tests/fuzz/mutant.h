/* Mutations of a valid text, drawn from Philox, so that a failing one comes back. */
#ifndef WAL_TESTS_FUZZ_MUTANT_H
#define WAL_TESTS_FUZZ_MUTANT_H

#include <stdint.h>
#include <string.h>

#include "models/common/rng.h"

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

#endif
