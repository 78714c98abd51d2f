#include "engine/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Makes room for `more` bytes and the NUL. */
static bool text_reserve(wal_text *text, size_t more) {
  if (text->failed) return false;
  size_t needed = text->length + more + 1;
  if (needed <= text->capacity) return true;
  size_t capacity = text->capacity ? text->capacity : 64;
  while (capacity < needed) capacity *= 2;
  char *data = realloc(text->data, capacity);
  if (!data) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

void wal_text_add_bytes(wal_text *text, const char *bytes, size_t length) {
  if (!text_reserve(text, length)) return;
  if (length) memcpy(text->data + text->length, bytes, length);
  text->length += length;
  text->data[text->length] = '\0';
}

void wal_text_add(wal_text *text, const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int length = vsnprintf(NULL, 0, format, args);
  va_end(args);
  if (length < 0) text->failed = true;
  if (length >= 0 && text_reserve(text, (size_t)length)) {
    vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
  }
  va_end(again);
}

void wal_text_add_quoted(wal_text *out, const char *text) {
  wal_text_add(out, "\"");
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == 0x7F) {
      wal_text_add(out, "\\x%02x", c);
    } else {
      wal_text_add(out, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
  }
  wal_text_add(out, "\"");
}

char *wal_text_steal(wal_text *text) {
  char *data = text_reserve(text, 0) ? text->data : NULL;
  if (data) data[text->length] = '\0';
  if (!data) free(text->data);
  *text = (wal_text){0};
  return data;
}

void wal_text_free(wal_text *text) {
  if (!text) return;
  free(text->data);
  *text = (wal_text){0};
}

char *wal_path_join(const char *folder, const char *name, const char *suffix) {
  size_t length = strlen(folder);
  const char *slash = length && folder[length - 1] != '/' ? "/" : "";
  wal_text path = {0};
  wal_text_add(&path, "%s%s%s%s", folder, slash, name, suffix);
  return wal_text_steal(&path);
}

/* Appends a component to a path that ends with "/" or is empty; ".." takes the last one back. */
static void add_component(wal_text *path, const char *name, size_t length) {
  if (length == 0 || (length == 1 && *name == '.')) return;
  bool up = length == 2 && name[0] == '.' && name[1] == '.', root = path->length == 1 && *path->data == '/';
  bool fixed = path->length == 0 || (path->length >= 3 && strcmp(path->data + path->length - 3, "../") == 0);
  if (up && root) return;
  if (!up || fixed) {
    wal_text_add(path, "%.*s/", (int)length, name);
  } else {
    path->data[--path->length] = '\0';
    while (path->length > 0 && path->data[path->length - 1] != '/') path->data[--path->length] = '\0';
  }
}

char *wal_path_resolve(const char *folder, const char *path) {
  const char *parts[] = {*path == '/' ? "" : folder, path};
  wal_text out = {0};
  if (*path == '/' || *folder == '/') wal_text_add(&out, "/");
  for (int i = 0; i < 2; i++)
    for (const char *at = parts[i]; *at && !out.failed; at += strspn(at, "/")) {
      size_t length = strcspn(at, "/");
      add_component(&out, at, length);
      at += length;
    }
  if (out.length > 1 && !out.failed) out.data[--out.length] = '\0'; /* the last slash */
  if (out.length == 0) wal_text_add(&out, ".");
  return wal_text_steal(&out);
}

/* Reads what is left of an open file whose size was `length` a moment ago. */
static wal_status read_open_file(FILE *file, const char *path, size_t length, char **bytes, size_t *read) {
  char *buffer = malloc(length + 1);
  if (!buffer) return wal_fail(WAL_E_MEMORY, "%s: no memory for its %zu bytes", path, length);
  size_t count = fread(buffer, 1, length, file);
  if (ferror(file)) {
    free(buffer);
    return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  }
  buffer[count] = '\0';
  *bytes = buffer;
  *read = count;
  return WAL_OK;
}

wal_status wal_regular_file(const char *path, uint64_t *bytes) {
  struct stat info;
  if (stat(path, &info) != 0) return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  if (S_ISDIR(info.st_mode)) return wal_fail(WAL_E_IO, "%s: is a folder; expected a file", path);
  if (!S_ISREG(info.st_mode)) return wal_fail(WAL_E_IO, "%s: is not a regular file", path);
  if (bytes) *bytes = (uint64_t)info.st_size;
  return WAL_OK;
}

wal_status wal_read_file(const char *path, size_t limit, char **bytes, size_t *length) {
  *bytes = NULL;
  *length = 0;
  uint64_t size;
  wal_status status = wal_regular_file(path, &size);
  if (status) return status;
  if (size > limit) {
    return wal_fail(WAL_E_INPUT, "%s: has %.1f MiB; the limit is %g MiB", path, (double)size / 1048576.0,
                    (double)limit / 1048576.0);
  }
  FILE *file = fopen(path, "rb");
  if (!file) return wal_fail(WAL_E_IO, "%s: cannot be read: %s", path, strerror(errno));
  status = read_open_file(file, path, (size_t)size, bytes, length);
  fclose(file);
  return status;
}

/* Bytes of the UTF-8 character that begins at s, 0 when it is not one (RFC 3629, table of section 4). */
static size_t utf8_character(const unsigned char *s, size_t left) {
  if (s[0] == 0) return 0;
  if (s[0] < 0x80) return 1;
  size_t size = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                : (s[0] & 0xF0) == 0xE0        ? 3
                : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                               : 0;
  if (size == 0 || size > left) return 0;
  for (size_t i = 1; i < size; i++) {
    if ((s[i] & 0xC0) != 0x80) return 0;
  }
  bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
  bool surrogate = s[0] == 0xED && s[1] > 0x9F;
  bool too_large = s[0] == 0xF4 && s[1] > 0x8F;
  return overlong || surrogate || too_large ? 0 : size;
}

size_t wal_utf8_check(const char *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    size_t size = utf8_character((const unsigned char *)bytes + at, length - at);
    if (size == 0) break;
    at += size;
  }
  return at;
}
