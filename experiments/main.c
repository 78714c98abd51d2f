#include "engine/cli.h"
#include "experiments/registry.h"

int main(int argc, char **argv) { return wal_cli_main(argc, argv, wal_experiments()); }
