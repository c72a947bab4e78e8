#include "dissectors/content/registry.h"

#include "dissectors/content/archive.h"
#include "dissectors/content/compress.h"
#include "dissectors/content/dde.h"
#include "dissectors/content/encoded.h"
#include "dissectors/content/html.h"
#include "dissectors/content/links.h"
#include "dissectors/content/ole2_inspect.h"
#include "dissectors/content/onenote.h"
#include "dissectors/content/ooxml.h"
#include "dissectors/content/pdf.h"
#include "dissectors/content/rtf.h"
#include "dissectors/content/tnef.h"
#include "dissectors/content/zip.h"

/* One a line. */
/* clang-format off */
const struct inspector *const content_inspectors[] = {
    &ooxml_inspector, /* before zip: members know in what they are */
    &zip_inspector,
    &archive_inspector,
    &compress_inspector,
    &encoded_inspector,
    &html_inspector,
    &pdf_inspector,
    &links_inspector,
    &onenote_inspector,
    &ole2_inspector,
    &ooxml_part_inspector,
    &rtf_inspector,
    &tnef_inspector,
    &csv_inspector,
    &slk_inspector,
    NULL,
};
/* clang-format on */
