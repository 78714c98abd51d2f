#include "models/common/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 2048 };
static _Thread_local char last_error[TEXT_SIZE];

const char *wal_status_text(wal_status status) {
  switch (status) {
#define X(code, text) \
  case code:          \
    return text;
    WAL_STATUS_LIST(X)
#undef X
  }
  return "unknown status";
}

wal_status wal_fail(wal_status status, const char *format, ...) {
  char text[TEXT_SIZE]; /* the arguments may point into last_error */
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  memcpy(last_error, text, sizeof text);
  return status;
}

wal_status wal_fail_in(wal_status status, const char *format, ...) {
  char text[TEXT_SIZE];
  va_list args;
  va_start(args, format);
  int used = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (used < 0) used = 0;
  if (used < TEXT_SIZE) snprintf(text + used, sizeof text - (size_t)used, "%s", last_error);
  memcpy(last_error, text, sizeof text);
  return status;
}

const char *wal_error(void) { return last_error; }
