/* Raised by hand whenever a change to models/ changes any number it returns: part of every cache key. */
#ifndef WAL_COMMON_VERSION_H
#define WAL_COMMON_VERSION_H
#define WAL_VERSION "0.1.0"
#define WAL_MODELS_VERSION 3
#endif
