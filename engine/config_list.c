#include "engine/config_list.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/util.h"
#include "engine/yaml.h"

void wal_config_list_free(wal_config_list *list) {
  for (int i = 0; i < list->count; i++) free(list->paths[i]);
  free(list->paths);
  *list = (wal_config_list){0};
}

static wal_status no_memory(const char *path) {
  return wal_fail(WAL_E_MEMORY, "no memory for the path %s", path);
}

static wal_status append(wal_config_list *list, const char *path) {
  char **paths = realloc(list->paths, ((size_t)list->count + 1) * sizeof *paths);
  if (!paths) return no_memory(path);
  list->paths = paths;
  paths[list->count] = strdup(path);
  if (!paths[list->count]) return no_memory(path);
  list->count++;
  return WAL_OK;
}

static bool is_folder(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static bool has_profile(const char *path, const char *profile) {
  wal_yaml *yaml = NULL;
  if (wal_yaml_load(path, &yaml) != WAL_OK) return true;
  const wal_node *root = wal_yaml_root(yaml);
  const wal_node *profiles = root && root->kind == WAL_NODE_MAP ? wal_node_get(root, "profiles") : NULL;
  bool has = profiles && profiles->kind == WAL_NODE_MAP && wal_node_get(profiles, profile);
  wal_yaml_free(yaml);
  return has;
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static wal_status add_folder(wal_config_list *list, const char *folder, const char *profile);

static wal_status add_entry(wal_config_list *list, const char *path, const char *profile) {
  size_t length = strlen(path);
  if (is_folder(path)) return add_folder(list, path, profile);
  bool is_config = length > 5 && strcmp(path + length - 5, ".yaml") == 0;
  return is_config && (!profile || has_profile(path, profile)) ? append(list, path) : WAL_OK;
}

static wal_status add_folder(wal_config_list *list, const char *folder, const char *profile) {
  struct dirent **entries = NULL;
  int count = scandir(folder, &entries, is_visible, alphasort);
  if (count < 0) return wal_fail(WAL_E_IO, "cannot read the folder %s", folder);
  wal_status status = WAL_OK;
  for (int e = 0; e < count; e++) {
    char *path = status ? NULL : wal_path_join(folder, entries[e]->d_name, "");
    if (!status) status = path ? add_entry(list, path, profile) : no_memory(folder);
    free(path);
    free(entries[e]);
  }
  free(entries);
  return status;
}

wal_status wal_config_list_add(wal_config_list *list, const char *path, const char *profile) {
  if (!is_folder(path)) return append(list, path);
  int before = list->count;
  wal_status status = add_folder(list, path, profile);
  if (!status && list->count == before)
    return wal_fail(WAL_E_INPUT, "no config%s%s below %s; expected .yaml files there",
                    profile ? " with profile " : "", profile ? profile : "", path);
  return status;
}
