/* Cells of a CSV table (RFC 4180): commas, quotes where a name needs them, "." in numbers; the place of every
   cell for messages. Private to experiments/files. */
#ifndef WAL_EXPERIMENTS_FILES_CSV_H
#define WAL_EXPERIMENTS_FILES_CSV_H

#include "engine/util.h"

typedef struct {
  const char *path;
  const char *at; /* the next byte */
  int line;       /* of the next byte, from 1 */
  const char *line_start;
  int column;           /* cells read of this line */
  int cell_line, place; /* where the last cell begins, from 1 */
  wal_text cell;        /* the last cell */
  char *bytes;          /* of the file, owned */
} wal_csv;

/* Reads a file of at most 256 MiB and goes to its first line that is not blank. header: what is expected
   there when there is none. Freed by the caller, after failures too. */
wal_status wal_csv_open(wal_csv *in, const char *path, const char *header);
void wal_csv_free(wal_csv *in);

/* Reads the next cell of this line, spaces around it left out; then, more: is there another? */
wal_status wal_csv_cell(wal_csv *in);
bool wal_csv_more(wal_csv *in);
void wal_csv_end_line(wal_csv *in);
void wal_csv_skip_blank_lines(wal_csv *in); /* *in->at is then 0 at the end of the file */

/* The last cell as a finite number, positive or, zero_works, non-negative; what: "the budget". */
wal_status wal_csv_number(const wal_csv *in, const char *what, bool zero_works, double *out);
bool wal_csv_is_number(const char *text);
/* After a line of another length than the header's `columns`. */
wal_status wal_csv_check_end(wal_csv *in, int columns);
/* Are these names, of a header in line 1, all different? kind: "goods". */
wal_status wal_csv_check_names(const wal_csv *in, const char *kind, char *const names[], int count);

/* WAL_E_INPUT with "path:line:column: MESSAGE", the place of the last cell. */
wal_status wal_csv_fail(const wal_csv *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
wal_status wal_csv_no_memory(const wal_csv *in);

#endif
