/* Runs the program gnuplot, whose exit code alone cannot be believed. */
#ifndef WAL_ENGINE_GNUPLOT_H
#define WAL_ENGINE_GNUPLOT_H

#include "models/common/status.h"

/* Runs `gnuplot -d SCRIPT` in `folder` (SCRIPT is a name in it), in a UTF-8 locale with C's number format.
   Anything on stderr, a death by signal or an exit code other than 0 is WAL_E_IO with gnuplot's text. Not
   installed: WAL_E_IO naming the Debian package. */
wal_status wal_gnuplot_run(const char *folder, const char *script);

#endif
