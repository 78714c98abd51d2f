#include "engine/yaml.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "engine/util.h"

enum { DEPTH_MAX = 32 };

/* What a config and a user's data may be. */
typedef struct {
  size_t bytes;
  int nodes;
  const char *too_many, *empty; /* what is said of more nodes, and of none */
} limits;

static const limits config_limits = {
    4 << 20, 100000,
    "more than 100,000 values; write long lists as a range ({from: 1, to: 9, steps: 9}) or random",
    "the file is empty; expected YAML (a config begins with \"experiment: PAPER/FIGURE\")"};
static const limits data_limits = {64 << 20, 4000000,
                                   "more than 4,000,000 values (numbers, names, lists and mappings)",
                                   "the file is empty; expected YAML or JSON"};

struct wal_yaml {
  const limits *limits;
  char *file;
  char *text;       /* verbatim */
  const char *body; /* [length + 1] the text without a byte order mark */
  size_t length;
  wal_node *root;
};

/* ---- Messages: "file:line:col: what", the source line, a caret ---- */

enum { SHOWN_COLUMNS = 90 }; /* characters of a source line that are shown */

/* Byte `count` characters of UTF-8 after `s`, not beyond the line's end. */
static const char *skip_characters(const char *s, int count) {
  while (count > 0 && *s && *s != '\n' && *s != '\r') {
    s++;
    while ((*s & 0xC0) == 0x80) s++;
    count--;
  }
  return s;
}

static const char *find_line(const char *text, int line) {
  while (--line > 0) {
    const char *end = strchr(text, '\n');
    if (!end) break;
    text = end + 1;
  }
  return text;
}

/* Adds the source line and a caret under `column`; of a long line only the part around it. */
static void add_source(wal_text *message, const char *text, int line, int column) {
  int first = column > SHOWN_COLUMNS * 2 / 3 ? column - SHOWN_COLUMNS / 2 : 1;
  const char *start = skip_characters(find_line(text, line), first - 1);
  const char *end = skip_characters(start, SHOWN_COLUMNS);
  bool cut_before = first > 1, cut_after = *end && *end != '\n' && *end != '\r';
  wal_text_add(message, "\n%5d | %s", line, cut_before ? "..." : "");
  for (const char *s = start; s < end; s++) wal_text_add_bytes(message, *s == '\t' ? " " : s, 1);
  int indent = column - first + (cut_before ? 3 : 0);
  wal_text_add(message, "%s\n      | %*s^", cut_after ? "..." : "", indent, "");
}

static wal_status fail_at(const wal_yaml *yaml, int line, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static wal_status fail_with(const wal_yaml *yaml, int line, int column, const char *format, va_list args) {
  char what[1024];
  vsnprintf(what, sizeof what, format, args);
  wal_text message = {0};
  wal_text_add(&message, "%s:%d:%d: %s", yaml->file, line, column, what);
  add_source(&message, yaml->body, line, column);
  if (message.failed) {
    wal_text_free(&message);
    return wal_fail(WAL_E_INPUT, "%s:%d:%d: %s", yaml->file, line, column, what);
  }
  wal_fail(WAL_E_INPUT, "%s", message.data);
  wal_text_free(&message);
  return WAL_E_INPUT;
}

static wal_status fail_at(const wal_yaml *yaml, int line, int column, const char *format, ...) {
  va_list args;
  va_start(args, format);
  wal_status status = fail_with(yaml, line, column, format, args);
  va_end(args);
  return status;
}

wal_status wal_node_fail(const wal_yaml *yaml, const wal_node *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  wal_status status = fail_with(yaml, node->line, node->column, format, args);
  va_end(args);
  return status;
}

/* ---- Nodes ---- */

static void node_free(wal_node *node) {
  if (!node) return;
  for (int i = 0; i < node->count; i++) {
    if (node->keys) node_free(node->keys[i]);
    if (node->items) node_free(node->items[i]);
  }
  free(node->keys);
  free(node->items);
  free(node->text);
  free(node);
}

/* Appends to a list (key NULL) or a map. Takes over both nodes, also on failure; false: no memory. */
static bool node_append(wal_node *parent, wal_node *key, wal_node *item) {
  if ((parent->count & (parent->count - 1)) == 0) { /* full at 0, 1, 2, 4, 8... */
    size_t capacity = parent->count ? 2 * (size_t)parent->count : 1;
    wal_node **items = realloc(parent->items, capacity * sizeof *items);
    if (items) parent->items = items;
    wal_node **keys = key ? realloc(parent->keys, capacity * sizeof *keys) : NULL;
    if (keys) parent->keys = keys;
    if (!items || (key && !keys)) {
      node_free(key);
      node_free(item);
      return false;
    }
  }
  if (key) parent->keys[parent->count] = key;
  parent->items[parent->count++] = item;
  return true;
}

const wal_node *wal_node_get(const wal_node *map, const char *key) {
  for (int i = 0; map->kind == WAL_NODE_MAP && i < map->count; i++) {
    if (strcmp(map->keys[i]->text, key) == 0) return map->items[i];
  }
  return NULL;
}

/* ---- Reading: one function per kind of event of libyaml ---- */

typedef struct {
  wal_yaml *yaml;
  yaml_parser_t parser;
  int nodes; /* so far */
} reader;

static wal_status no_memory(const wal_yaml *yaml) {
  return wal_fail(WAL_E_MEMORY, "%s: no memory to read it", yaml->file);
}

/* libyaml counts lines and columns from 0, and columns in characters. */
static wal_status syntax_error(const reader *in) {
  const yaml_parser_t *p = &in->parser;
  if (p->error == YAML_MEMORY_ERROR) return no_memory(in->yaml);
  int line = (int)p->problem_mark.line + 1, column = (int)p->problem_mark.column + 1;
  const char *what = p->problem ? p->problem : "unknown problem";
  const char *hint = strstr(what, "mapping values")
                         ? " (is the line indented as its neighbours? a text with \": \" needs quotes)"
                         : "";
  if (p->context && !*hint)
    return fail_at(in->yaml, line, column, "not valid YAML: %s, %s", p->context, what);
  return fail_at(in->yaml, line, column, "not valid YAML: %s%s", what, hint);
}

static wal_status next_event(reader *in, yaml_event_t *event) {
  return yaml_parser_parse(&in->parser, event) ? WAL_OK : syntax_error(in);
}

static wal_status fail_event(const reader *in, const yaml_event_t *event, const char *what) {
  return fail_at(in->yaml, (int)event->start_mark.line + 1, (int)event->start_mark.column + 1, "%s", what);
}

/* Anchors, aliases and tags: what a config has no use for. */
static wal_status check_plain(const reader *in, const yaml_event_t *event) {
  const unsigned char *anchor = NULL, *tag = NULL;
  if (event->type == YAML_SCALAR_EVENT) {
    anchor = event->data.scalar.anchor;
    tag = event->data.scalar.tag;
  } else if (event->type == YAML_SEQUENCE_START_EVENT) {
    anchor = event->data.sequence_start.anchor;
    tag = event->data.sequence_start.tag;
  } else if (event->type == YAML_MAPPING_START_EVENT) {
    anchor = event->data.mapping_start.anchor;
    tag = event->data.mapping_start.tag;
  }
  if (anchor || event->type == YAML_ALIAS_EVENT) {
    return fail_event(in, event, "anchors (&name) and aliases (*name) are not taken; write the values out");
  }
  if (tag) return fail_event(in, event, "tags (!name) are not taken; write the value alone");
  return WAL_OK;
}

static wal_status new_node(reader *in, const yaml_event_t *event, int depth, wal_node **out) {
  wal_status status = check_plain(in, event);
  if (status != WAL_OK) return status;
  if (depth > DEPTH_MAX)
    return fail_event(in, event, "nested more than 32 levels deep; a config needs about 5");
  if (++in->nodes > in->yaml->limits->nodes) return fail_event(in, event, in->yaml->limits->too_many);
  wal_node *node = calloc(1, sizeof *node);
  if (!node) return no_memory(in->yaml);
  node->file = in->yaml->file;
  node->line = (int)event->start_mark.line + 1;
  node->column = (int)event->start_mark.column + 1;
  *out = node;
  return WAL_OK;
}

static wal_status read_scalar(const reader *in, const yaml_event_t *event, wal_node *node) {
  node->kind = WAL_NODE_SCALAR;
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  const char *value = (const char *)event->data.scalar.value;
  if (strlen(value) != event->data.scalar.length)
    return fail_event(in, event, "a text with a NUL (\\0) in it");
  node->text = strdup(value);
  return node->text ? WAL_OK : no_memory(in->yaml);
}

static wal_status read_node(reader *in, const yaml_event_t *event, int depth, wal_node **out);

/* Reads the key that `event` is, and moves on to the event of its value. */
static wal_status read_key(reader *in, yaml_event_t *event, int depth, wal_node **key) {
  if (event->type != YAML_SCALAR_EVENT) {
    return fail_event(in, event, "a key must be a name, not a list or a mapping");
  }
  wal_status status = read_node(in, event, depth, key);
  if (status != WAL_OK) return status;
  yaml_event_delete(event);
  return next_event(in, event); /* on failure libyaml leaves an empty event */
}

/* Reads items up to the closing event; of a map each item follows its key. */
static wal_status read_items(reader *in, wal_node *parent, yaml_event_type_t closing, int depth) {
  for (;;) {
    wal_node *key = NULL, *item = NULL;
    yaml_event_t event;
    wal_status status = next_event(in, &event);
    if (status != WAL_OK) return status;
    bool closed = event.type == closing;
    if (!closed && parent->kind == WAL_NODE_MAP) status = read_key(in, &event, depth + 1, &key);
    if (!closed && status == WAL_OK) status = read_node(in, &event, depth + 1, &item);
    yaml_event_delete(&event);
    if (closed) return WAL_OK;
    if (status != WAL_OK) {
      node_free(key);
      return status;
    }
    if (!node_append(parent, key, item)) return no_memory(in->yaml);
  }
}

static int compare_keys(const void *a, const void *b) {
  const wal_node *left = *(wal_node *const *)a, *right = *(wal_node *const *)b;
  int order = strcmp(left->text, right->text);
  if (order != 0) return order;
  return left->line != right->line ? left->line - right->line : left->column - right->column;
}

static wal_status check_duplicates(const reader *in, const wal_node *map) {
  wal_node **sorted = malloc(((size_t)map->count + 1) * sizeof(wal_node *));
  if (!sorted) return no_memory(in->yaml);
  if (map->count) memcpy(sorted, map->keys, (size_t)map->count * sizeof(wal_node *));
  qsort(sorted, (size_t)map->count, sizeof(wal_node *), compare_keys);
  wal_status status = WAL_OK;
  for (int i = 1; i < map->count && status == WAL_OK; i++) {
    if (strcmp(sorted[i - 1]->text, sorted[i]->text) != 0) continue;
    status = wal_node_fail(in->yaml, sorted[i], "\"%.60s\" is given twice, first at %d:%d; keep one",
                           sorted[i]->text, sorted[i - 1]->line, sorted[i - 1]->column);
  }
  free(sorted);
  return status;
}

/* Builds the node that `event` begins. On failure nothing is left behind. */
static wal_status read_node(reader *in, const yaml_event_t *event, int depth, wal_node **out) {
  wal_node *node = NULL;
  wal_status status = new_node(in, event, depth, &node);
  if (status == WAL_OK && event->type == YAML_SCALAR_EVENT) {
    status = read_scalar(in, event, node);
  } else if (status == WAL_OK && event->type == YAML_SEQUENCE_START_EVENT) {
    node->kind = WAL_NODE_LIST;
    status = read_items(in, node, YAML_SEQUENCE_END_EVENT, depth);
  } else if (status == WAL_OK) {
    node->kind = WAL_NODE_MAP;
    status = read_items(in, node, YAML_MAPPING_END_EVENT, depth);
    if (status == WAL_OK) status = check_duplicates(in, node);
  }
  if (status == WAL_OK) {
    *out = node;
  } else {
    node_free(node);
  }
  return status;
}

/* What the file may hold at its top: one document. */
static wal_status read_top(reader *in, const yaml_event_t *event) {
  switch (event->type) {
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
      return WAL_OK;
    case YAML_STREAM_END_EVENT:
      if (in->yaml->root) return WAL_OK;
      return fail_at(in->yaml, 1, 1, "%s", in->yaml->limits->empty);
    case YAML_DOCUMENT_START_EVENT:
      if (!in->yaml->root) return WAL_OK;
      return fail_event(in, event, "a second document; a file holds one (remove what follows \"---\")");
    default:
      return read_node(in, event, 1, &in->yaml->root);
  }
}

static wal_status read_stream(reader *in) {
  wal_status status = WAL_OK;
  bool more = true;
  while (status == WAL_OK && more) {
    yaml_event_t event;
    status = next_event(in, &event);
    if (status != WAL_OK) break;
    status = read_top(in, &event);
    more = event.type != YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
  }
  return status;
}

/* ---- Checks on the bytes, before libyaml sees them ---- */

static void place_of(const wal_yaml *yaml, size_t at, int *line, int *column) {
  *line = *column = 1;
  for (size_t i = 0; i < at; i++) {
    if (yaml->body[i] == '\n') {
      ++*line;
      *column = 1;
    } else {
      *column += (yaml->body[i] & 0xC0) != 0x80;
    }
  }
}

static wal_status check_encoding(const wal_yaml *yaml) {
  size_t at = wal_utf8_check(yaml->body, yaml->length);
  if (at == yaml->length) return WAL_OK;
  int line, column;
  place_of(yaml, at, &line, &column);
  return wal_fail(WAL_E_INPUT, "%s:%d:%d: byte 0x%02X is not UTF-8 text; save the file as UTF-8", yaml->file,
                  line, column, (unsigned char)yaml->body[at]);
}

/* JSON's white space means nothing. */
static bool is_json(const wal_yaml *yaml) { return yaml->body[strspn(yaml->body, " \t\r\n")] == '{'; }

static wal_status check_tabs(const wal_yaml *yaml) {
  bool indenting = true;
  for (size_t i = 0; i < yaml->length; i++) {
    char c = yaml->body[i];
    if (indenting && c == '\t') {
      int line, column;
      place_of(yaml, i, &line, &column);
      return fail_at(yaml, line, column, "a tab in the indentation; YAML indents with spaces (2 work well)");
    }
    indenting = c == '\n' || (indenting && c == ' ');
  }
  return WAL_OK;
}

static wal_status check_bytes(const wal_yaml *yaml) {
  if (yaml->length > yaml->limits->bytes) {
    return wal_fail(WAL_E_INPUT, "%s: has %.1f MiB; the limit is %zu MiB", yaml->file,
                    (double)yaml->length / 1048576.0, yaml->limits->bytes >> 20);
  }
  const wal_status status = check_encoding(yaml);
  return status == WAL_OK && !is_json(yaml) ? check_tabs(yaml) : status;
}

static wal_status read_text(wal_yaml *yaml) {
  wal_status status = check_bytes(yaml);
  if (status != WAL_OK) return status;
  reader in = {.yaml = yaml};
  if (!yaml_parser_initialize(&in.parser)) return no_memory(yaml);
  yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&in.parser, (const unsigned char *)yaml->body, yaml->length);
  status = read_stream(&in);
  yaml_parser_delete(&in.parser);
  return status;
}

/* Takes over `text`, also on failure. */
static wal_status parse_owned(char *text, size_t length, const char *file, const limits *most,
                              wal_yaml **out) {
  wal_yaml *yaml = calloc(1, sizeof *yaml);
  if (!yaml) {
    free(text);
    return wal_fail(WAL_E_MEMORY, "%s: no memory to read it", file);
  }
  bool marked = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;
  yaml->limits = most;
  yaml->text = text;
  yaml->body = text + (marked ? 3 : 0);
  yaml->length = length - (marked ? 3 : 0);
  yaml->file = strdup(file);
  wal_status status = yaml->file ? read_text(yaml) : wal_fail(WAL_E_MEMORY, "%s: no memory to read it", file);
  if (status == WAL_OK) {
    *out = yaml;
  } else {
    wal_yaml_free(yaml);
  }
  return status;
}

static wal_status load(const char *path, const limits *most, wal_yaml **out) {
  *out = NULL;
  char *text;
  size_t length;
  wal_status status = wal_read_file(path, most->bytes, &text, &length);
  return status == WAL_OK ? parse_owned(text, length, path, most, out) : status;
}

static wal_status parse(const char *text, size_t length, const char *file, const limits *most,
                        wal_yaml **out) {
  *out = NULL;
  char *copy = malloc(length + 1);
  if (!copy) return wal_fail(WAL_E_MEMORY, "%s: no memory to read it", file);
  if (length) memcpy(copy, text, length);
  copy[length] = '\0';
  return parse_owned(copy, length, file, most, out);
}

wal_status wal_yaml_load(const char *path, wal_yaml **out) { return load(path, &config_limits, out); }

wal_status wal_yaml_load_data(const char *path, wal_yaml **out) { return load(path, &data_limits, out); }

wal_status wal_yaml_parse(const char *text, size_t length, const char *file, wal_yaml **out) {
  return parse(text, length, file, &config_limits, out);
}

wal_status wal_yaml_parse_data(const char *text, size_t length, const char *file, wal_yaml **out) {
  return parse(text, length, file, &data_limits, out);
}

void wal_yaml_free(wal_yaml *yaml) {
  if (!yaml) return;
  node_free(yaml->root);
  free(yaml->file);
  free(yaml->text);
  free(yaml);
}

const wal_node *wal_yaml_root(const wal_yaml *yaml) { return yaml->root; }

const char *wal_yaml_text(const wal_yaml *yaml) { return yaml->text; }

/* ---- "Did you mean" ---- */

enum { WORD_MAX = 64 };

static int min3(int a, int b, int c) { return a < b ? (a < c ? a : c) : (b < c ? b : c); }

/* Edits (insert, delete, replace, swap neighbours) from a to b, capitals aside; optimal string alignment.
   Both at most WORD_MAX long. */
static int edit_distance(const char *a, const char *b) {
  int rows[3][WORD_MAX + 1]; /* the last three rows of the table, in turn */
  int n = (int)strlen(a), m = (int)strlen(b);
  for (int j = 0; j <= m; j++) rows[0][j] = j;
  for (int i = 1; i <= n; i++) {
    int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    row[0] = i;
    for (int j = 1; j <= m; j++) {
      int ai = tolower((unsigned char)a[i - 1]), bj = tolower((unsigned char)b[j - 1]);
      row[j] = min3(row[j - 1] + 1, up[j] + 1, up[j - 1] + (ai != bj));
      bool swapped =
          i > 1 && j > 1 && ai == tolower((unsigned char)b[j - 2]) && bj == tolower((unsigned char)a[i - 2]);
      if (swapped && up2[j - 2] + 1 < row[j]) row[j] = up2[j - 2] + 1;
    }
  }
  return rows[n % 3][m];
}

const char *wal_did_you_mean(const char *word, const char *const candidates[], int count) {
  const char *best = NULL;
  int best_distance = WORD_MAX;
  size_t length = strlen(word);
  if (length > WORD_MAX) return NULL;
  for (int i = 0; i < count; i++) {
    size_t other = strlen(candidates[i]);
    if (other > WORD_MAX) continue;
    int limit = (int)(other > length ? other : length) / 3;
    int distance = edit_distance(word, candidates[i]);
    if (distance > limit || distance >= best_distance) continue;
    best = candidates[i];
    best_distance = distance;
  }
  return best;
}
