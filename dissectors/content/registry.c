#include "dissectors/content/registry.h"

#include "dissectors/content/archive.h"
#include "dissectors/content/html.h"
#include "dissectors/content/links.h"
#include "dissectors/content/onenote.h"
#include "dissectors/content/pdf.h"
#include "dissectors/content/zip.h"

const struct inspector *const content_inspectors[] = {
    &zip_inspector, &archive_inspector, &html_inspector,
    &pdf_inspector, &links_inspector,   &onenote_inspector,
    NULL,
};
