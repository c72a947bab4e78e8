#include "sensor/base/err.h"

#include <errno.h>

static const char *const texts[] = {
#define ERR_TEXT(name, text) [ERR_##name] = (text),
    ERR_MAP(ERR_TEXT)
#undef ERR_TEXT
};

const char *
err_text(enum err e)
{
    return texts[e];
}

enum err
err_from_errno(int number)
{
    switch (number) {
    case 0: return ERR_OK;
    case ENOMEM: return ERR_NOMEM;
    case ENOENT:
    case ENOTDIR: return ERR_NOENT;
    case EACCES:
    case EPERM:
    case EROFS: return ERR_PERM;
    case EEXIST: return ERR_EXISTS;
    case EAGAIN:
    case EBUSY: return ERR_BUSY;
    default: return ERR_IO;
    }
}
