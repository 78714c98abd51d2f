/* YAML into a typed tree that keeps file:line:column of every node (through libyaml). */
#ifndef WAL_ENGINE_YAML_H
#define WAL_ENGINE_YAML_H

#include "engine/value.h"

typedef enum { WAL_NODE_SCALAR, WAL_NODE_LIST, WAL_NODE_MAP } wal_node_kind;
typedef struct wal_node wal_node;
struct wal_node {
  wal_node_kind kind;
  const char *file;  /* borrowed from the document */
  int line, column;  /* from 1 */
  bool quoted;       /* scalar: was in quotes, so never a number */
  char *text;        /* scalar text; NULL otherwise */
  int count;         /* list items or map entries */
  wal_node **keys;   /* map: scalar nodes, in order of appearance */
  wal_node **items;  /* list items or map values */
};

typedef struct wal_yaml wal_yaml; /* owns the nodes, the file name and the verbatim text */

/* Limits (stated in the message): 4 MiB, depth 32, 100,000 nodes. Refused with file:line:column, the source line and a caret: tabs in the
   indentation (but for JSON, a text that begins with "{"), duplicate keys, anchors/aliases, several documents, an empty file, bytes that
   are not UTF-8. */
wal_status wal_yaml_load(const char *path, wal_yaml **out);
/* The same for a user's data, which may be long: 64 MiB, 4,000,000 nodes. */
wal_status wal_yaml_load_data(const char *path, wal_yaml **out);
wal_status wal_yaml_parse(const char *text, size_t length, const char *file, wal_yaml **out);
wal_status wal_yaml_parse_data(const char *text, size_t length, const char *file, wal_yaml **out);
void wal_yaml_free(wal_yaml *yaml);
const wal_node *wal_yaml_root(const wal_yaml *yaml);
const char *wal_yaml_text(const wal_yaml *yaml); /* verbatim */

const wal_node *wal_node_get(const wal_node *map, const char *key); /* NULL: absent */
/* WAL_E_INPUT with "file:line:col: MESSAGE", the source line and a caret under the node. */
wal_status wal_node_fail(const wal_yaml *yaml, const wal_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The closest candidate by edit distance (at most a third of the length), or NULL: for "did you mean". */
const char *wal_did_you_mean(const char *word, const char *const candidates[], int count);

#endif
