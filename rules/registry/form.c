#include "rules/registry/form.h"

const struct form_row form_rows[FORM_FIELD_COUNT] = {
#define TYPE_TEXT      FORM_TEXT
#define TYPE_MAIL      FORM_MAIL
#define TYPE_PHONE     FORM_PHONE
#define TYPE_COUNT     FORM_COUNT
#define TYPE_DATE      FORM_DATE
#define TYPE_YESNO     FORM_YESNO
#define TYPE_PORT      FORM_PORT_TYPE
#define TYPE_PREFIX    FORM_PREFIX
#define TYPE_DIRECTION FORM_DIRECTION
#define TYPE_PREFIXES  FORM_PREFIXES
#define NEED_MUST      true
#define NEED_MAY       false
#define X(id, scope, column, path, type, need, personal, label, help)          \
    {column,      path,        label,   help, FORM_SCOPE_##scope,              \
     TYPE_##type, NEED_##need, personal},
#include "rules/registry/fields.def"
#undef X
};
