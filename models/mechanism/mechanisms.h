/* The mechanisms behind the table in mechanism.c, one file each. Private to models/mechanism. */
#ifndef WAL_MECHANISM_MECHANISMS_H
#define WAL_MECHANISM_MECHANISMS_H

#include "models/mechanism/mechanism.h"

extern const wal_mechanism_kind wal_mechanism_pf, wal_mechanism_pa, wal_mechanism_mixture, wal_mechanism_clip,
    wal_mechanism_vtheta, wal_mechanism_uniform;
extern const wal_mechanism_kind wal_mechanism_exs, wal_mechanism_softmax, wal_mechanism_rpf,
    wal_mechanism_rpf_equivariant, wal_mechanism_rpf_monotone, wal_mechanism_rpf_separable;

#endif
