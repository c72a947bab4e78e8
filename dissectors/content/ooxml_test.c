#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dissectors/content/office_test.h"
#include "dissectors/content/ooxml.h"
#include "dissectors/content/zip_make.h"

#define REL(type, target)                                                      \
    "<Relationships><Relationship Id='r1' Type=\"http://schemas/" type         \
    "\" TargetMode=\"External\" Target=\"" target "\"/></Relationships>"
#define RUN(x)   "<w:r><w:instrText>" x "</w:instrText></w:r>"
#define CHAR(x)  "<w:r><w:fldChar w:fldCharType=\"" x "\"/></w:r>"
#define FIELD(x) CHAR("begin") x CHAR("separate") "old" CHAR("end")
#define DOC(x)   "<?xml version='1.0'?><w:document>" x "</w:document>"

static const struct {
    const char *why, *name, *path, *content, *findings;
} rows[] = {
    {"a plain document",              "a.docx",               "word/document.xml",            DOC("text"),                                             ""                                         },
    {"a hyperlink is ordinary",       "a.docx",               "word/_rels/document.xml.rels",
     REL("hyperlink",                                                                                                                                  "http://host/"),                             ""},
    {"a share behind a hyperlink too",                               "a.docx",                      "word/_rels/x.rels",
     REL("hyperlink",                             "\\\\host\\a"),                                                                                                                                                                               ""},
    {"a picture of the web too",                             "a.docx",                                                   "word/_rels/x.rels",
     REL("image",                                                                           "https://host/a.png"),""},
    {"a linked workbook too",          "a.xlsx",                              "xl/_rels/x.rels",
     REL("externalLinkPath",                   "file:///\\\\host\\a.xlsx"),                                                                                                                                                                           ""},
    {"a template of this disk too",          "a.docx",     "word/_rels/settings.xml.rels",
     REL("attachedTemplate",                                                                      "file:///C:\\a\\Normal.dotm"),""},
    {"a template of the web", "a.docx",                                  "word/_rels/settings.xml.rels",
     REL("attachedTemplate",                   "http://host/a.dotm"),                                                                                                                                                    "template_injection"},
    {"a template on a share",                       "a.docx","word/_rels/settings.xml.rels",
     REL("attachedTemplate",                                                                                  "file://host/a.dotm"),"template_injection"},
    {"written as references",         "a.docx", "word/_rels/settings.xml.rels",
     REL("attachedTemplate",                                                                                                                           "&#x68;&#116;tp://host/a.dotm"),
     "template_injection"},
    {"a picture on a share",                               "a.docx",                               "word/_rels/x.rels",
     REL("image",                                                                      "\\\\host\\a.png"),                                                                                                                                                                        "remote_object"},
    {"an object of the web",            "a.docx",                                  "word/_rels/x.rels",
     REL("oleObject",                                                            "https://host/a.doc"),                                                      "remote_object"},
    {"a frame",             "a.docx",                    "word/_rels/x.rels",                                                  REL("frame",               "http://host/"),
     "remote_object"},
    {"a handler's scheme in a hyperlink",                 "a.docx",                  "word/_rels/x.rels",
     REL("hyperlink",                             "ms-msdt:/id PCWDiagnostic"),           "remote_object"},
    {"CVE-2021-40444",            "a.docx",    "word/_rels/x.rels",
     REL("oleObject",                                                                                                                                  "mhtml:http://host/a!x-usc:http://host/a"),
     "remote_object remote_exploit"},
    {"a relationship within",       "a.docx","word/_rels/x.rels",
     "<Relationships><Relationship Type='x/oleObject' "
     "Target='embeddings/a.bin'/></Relationships>",                                                                        ""                                                                                         },
    {"single quotes, prefixes",                "a.docx",                   "word/_rels/x.rels",
     "<r:Relationships ><r:Relationship\n TargetMode = 'External'\n Type='x/"
     "frame' Target='http://h/'></r:Relationship></r:Relationships>",                                                                                                                                  "remote_object" },
    {"a comment is no relationship",                               "a.docx",                               "word/_rels/x.rels",
     "<!-- <Relationship TargetMode='External' Type='x/frame' "
     "Target='http://h/'/> --><Relationships/>",                                                                                           ""                                                                                                                                                },
    {"nor is what a DOCTYPE declares",                               "a.docx",                             "word/_rels/x.rels",
     "<!DOCTYPE x [<!ENTITY a \"<Relationship TargetMode='External' "
     "Type='x/frame' Target='http://h/'/>\">]><Relationships/>",                                                      ""                                                                                                                              },
    {"VBA",                               "a.docm",                        "word/vbaProject.bin",                "x",                      "vba_macro"                                                                                                                                                   },
    {"VBA where none is promised",                               "a.docx",                      "word/vbaProject.bin",              "x",
     "vba_macro macro_mismatch"                                                                                                                                   },
    {"other letter case, other slash",                               "a.XLSX",                                                 "xl\\VBAproject.BIN",                                         "x",
     "vba_macro macro_mismatch"},
    {"VBA by its content type",                               "a.docm",                          "[Content_Types].xml",
     "<Types><Override PartName='/x' "
     "ContentType='application/vnd.ms-office.vbaProject'/></Types>",                               "vba_macro"},
    {"a macro sheet",                               "a.xlsm",                      "xl/macrosheets/sheet1.xml",              "<x/>",
     "xlm_macro"},
    {"another slash",                               "a.xlsm",                             "xl\\macrosheets\\sheet1.xml",                     "<x/>",
     "xlm_macro"                                                                                                                               },
    {"a tag's end in quotes",                               "a.docx",                                       "word/_rels/x.rels",
     "<r><Relationship Id='a>b' Type=\"x/frame\" Target='http://h/>' "
     "TargetMode='External'/></r>",                                      "remote_object"                                                                                                                                                       },
    {"a control",                               "a.docx",                                       "word/activeX/activeX1.bin",                               "x",                             "activex"                                                                                                                                                                                },
    {"DDE in a simple field",                               "a.docx",                               "word/document.xml",
     DOC("<w:fldSimple w:instr='DDEAUTO \"a\" \"b\"'/>"),                     "dde"                                                                                                                                                                },
    {"DDE in a field",                               "a.docx",                                           "word/document.xml",
     DOC(FIELD(RUN(" DDEAUTO c:\\a.exe "))),                         "dde"},
    {"over runs",                               "a.docx",                               "word/header1.xml",
     DOC(FIELD(RUN("D") RUN("DE") "<w:r/>" RUN("<![CDATA[AUTO]]> x"))),                             "dde"                                                                                                                                          },
    {"in any part",                               "a.docx",                                      "custom/a.xml",                              DOC(FIELD(RUN("dde x y"))),
     "dde"                                                                                                                                                       },
    {"without an end",                               "a.docx",                                           "word/document.xml",
     DOC(CHAR("begin") RUN("DDE x y") CHAR("end")),                                          "dde"                                                                                                                            },
    {"QUOTE writes it",                               "a.docx",                                         "word/document.xml",
     DOC(CHAR("begin") FIELD(RUN("QUOTE 68 68 69 32 120")) CHAR("separate")
             CHAR("end")),
     "dde"},
    {"a page number is none",                               "a.docx",                                      "word/document.xml",
     DOC(FIELD(RUN(" PAGE \\* DDE "))),                        ""                                                                                                                                                },
    {"text about DDE is none",                               "a.docx",                                     "word/document.xml",
     DOC("DDEAUTO instrText"),                         ""                                                                                                                                                                         },
    {"a linked text of the web",                               "a.docx",                               "word/document.xml",
     DOC(FIELD(RUN("INCLUDETEXT \"http://host/a\""))),                      "remote_object"                                                                                                                                                            },
    {"DDE in a workbook",                               "a.xlsx",                              "xl/externalLinks/externalLink1.xml",
     "<externalLink><ddeLink ddeService='cmd' ddeTopic='/c a'/>"
     "</externalLink>",                      "dde"                                                                                                                                                                     },
    {"an encrypted ODF",                               "a.odt",                            "META-INF/manifest.xml",
     "<manifest:manifest><manifest:file-entry><manifest:encryption-data/>"
     "</manifest:file-entry></manifest:manifest>",                          "encrypted_document"                                                                                                                                             },
    {"a DDE source of ODF",                               "a.odt",                                   "content.xml",
     "<x><office:dde-source office:dde-application='soffice' "
     "office:dde-topic='a'/></x>",                 "dde"                                                                                                                                                                            },
};

static void
pack(struct zip_make *z, const char *path, struct span content)
{
    static const char *const always[] = {"[Content_Types].xml"};

    zip_make_begin(z);
    if (strcmp(path, always[0]) != 0 &&
        strcmp(path, "META-INF/manifest.xml") != 0)
        zip_make_member(z, &(struct zip_make_member){.name = always[0],
                                                     .data = SPAN_LIT("<x/>")});
    zip_make_member(z, &(struct zip_make_member){
                           .name = path, .data = content, .deflate = true});
    zip_make_end(z, SPAN_NONE);
}

static void
test_rows(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct zip_make z;

        pack(&z, rows[k].path, span_str(rows[k].content));
        office_check(&t, buf_view(&z.out), rows[k].name, rows[k].why,
                     rows[k].findings);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

/* The same in UTF-16, both ways round, with and without a mark. */
static void
test_utf16(void **state)
{
    static const char text[] =
        "<?xml version='1.0'?>" REL("frame", "http://host/");
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (unsigned how = 0; how < 4; how++) {
        struct zip_make z;
        struct buf b;

        buf_init(&b, 4096);
        if ((how & 2) != 0)
            buf_str(&b, how & 1 ? "\xfe\xff" : "\xff\xfe");
        for (size_t k = 0; text[k] != '\0'; k++) {
            uint8_t pair[2] = {(uint8_t)text[k], 0};

            buf_putc(&b, pair[how & 1]);
            buf_putc(&b, pair[1 - (how & 1)]);
        }
        pack(&z, "word/_rels/x.rels", buf_view(&b));
        office_check(&t, buf_view(&z.out), "a.docx", "UTF-16", "remote_object");
        zip_make_free(&z);
        buf_free(&b);
    }
    inspected_end(&t);
}

#define FLAT "<?xml version='1.0'?><?mso-application progid='x'?>"

static void
test_flat(void **state)
{
    static const struct {
        const char *why, *content, *findings;
    } flat[] = {
        {"a plain one",           FLAT "<pkg:package/>", ""                                      },
        {"another program's XML",
         "<x><Relationship TargetMode='External' Type='x/frame' "
         "Target='http://h/'/></x>",                     ""                                      },
        {"a relationship",
         FLAT "<pkg:package><pkg:part pkg:name='/_rels/.rels'>" REL(
             "frame",                                    "http://h/") "</pkg:part></pkg:package>",
         "remote_object"},
        {"Excel 2003, a link",
         FLAT "<Workbook><SupBook><Path>cmd|/c a</Path></SupBook></Workbook>",
         "dde"                    },
        {"Excel 2003, a formula",
         FLAT "<Cell ss:Formula=\"=cmd|'/c a'!A1\"></Cell>",                      "dde"                                      },
        {"Word 2003, a template",
         FLAT "<w:attachedTemplate w:val='http://host/a.dot'/>",
         "template_injection"                                  },
        {"a macro's content type",
         FLAT "<pkg:package><pkg:part pkg:name='/word/vbaProject.bin' "
              "pkg:contentType='application/vnd.ms-office.vbaProject'>"
              "</pkg:part></pkg:package>",                     "vba_macro"                                                        },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(flat); k++)
        office_check(&t, span_str(flat[k].content), "a.xml", flat[k].why,
                     flat[k].findings);
    inspected_end(&t);
}

/* Base64 in the XML, also folded, becomes a file. */
static void
test_binary(void **state)
{
    static const struct span text = SPAN_INIT(
        FLAT "<pkg:package><pkg:part pkg:name='/word/a.bin'><pkg:binaryData>"
             "aGVs\r\nbG8=</pkg:binaryData></pkg:part></pkg:package>");
    struct inspected t;
    struct content_member m = {0};

    (void)state;
    inspected_begin(&t);
    inspected_run(&t, text, "a.xml");
    assert_true(inspected_member(&t, "/word/a.bin", &m));
    assert_int_equal(m.size, 5);
    inspected_end(&t);
}

/* A drawing in base64, as Word writes it, is no smuggling of markup. */
static void
test_drawing(void **state)
{
    struct inspected t;
    struct zip_make z;
    struct buf b;

    (void)state;
    inspected_begin(&t);
    buf_init(&b, 65536);
    buf_str(&b,
            "<?xml version='1.0'?><?mso-application progid='Word.Document'?>"
            "<w:document xmlns:w='http://schemas."
            "openxmlformats.org/'><v:shape o:gfxdata=\"UEsDBBQABgAIAAAA");
    for (unsigned k = 0; k < 2000; k++)
        buf_str(&b, "IQC2gziS");
    buf_str(&b, "\"/></w:document>");
    pack(&z, "word/document.xml", buf_view(&b));
    inspected_run(&t, buf_view(&z.out), "a.docx");
    assert_false(inspected_has(&t, FIND_HTML_SMUGGLING));
    zip_make_free(&z);
    inspected_run(&t, buf_view(&b), "a.xml");
    assert_false(inspected_has(&t, FIND_HTML_SMUGGLING));
    buf_free(&b);
    inspected_end(&t);
}

/* Levels of fields: at the last that is kept, and one deeper. */
static void
test_depth(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (unsigned n = OOXML_FIELDS - 1; n <= OOXML_FIELDS + 1; n++) {
        struct zip_make z;
        struct buf b;

        buf_init(&b, 65536);
        buf_str(&b, "<d>");
        for (unsigned k = 1; k < n; k++)
            buf_str(&b, CHAR("begin"));
        buf_str(&b, FIELD(RUN("DDE a b")));
        for (unsigned k = 1; k < n; k++)
            buf_str(&b, CHAR("end"));
        buf_str(&b, FIELD(RUN("PAGE")) "</d>");
        pack(&z, "word/document.xml", buf_view(&b));
        inspected_run(&t, buf_view(&z.out), "a.docx");
        /* the code is still seen as part of the field around it */
        assert_true(inspected_has(&t, FIND_DDE));
        zip_make_free(&z);
        buf_free(&b);
    }
    inspected_end(&t);
}

static void
test_cuts(void **state)
{
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct span all = span_str(rows[k].content);
        struct buf flat;

        buf_init(&flat, 65536);
        buf_str(&flat, FLAT);
        buf_span(&flat, all);
        for (size_t n = 0; n < flat.n; n++)
            inspected_run(&t, span_head(buf_view(&flat), n), "a.xml");
        buf_free(&flat);
    }
    inspected_end(&t);
}

static void
test_odf_script(void **state)
{
    static const struct {
        const char *path, *findings;
    } paths[] = {
        {"Basic/Standard/script-lb.xml", ""                             },
        {"Basic/script-lc.xml",          ""                             },
        {"Basic/Standard/Module1.xml",   "script_macro"                 },
        {"Scripts/python/a.py",          "forbidden_member script_macro"},
        {"a.xml",                        ""                             },
    };
    struct inspected t;

    (void)state;
    inspected_begin(&t);
    for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
        struct zip_make z;

        zip_make_begin(&z);
        zip_make_member(
            &z, &(struct zip_make_member){.name = "META-INF/manifest.xml",
                                          .data = SPAN_LIT("<m/>")});
        zip_make_member(&z,
                        &(struct zip_make_member){.name = "content.xml",
                                                  .data = SPAN_LIT("<m/>")});
        zip_make_member(&z,
                        &(struct zip_make_member){.name = paths[k].path,
                                                  .data = SPAN_LIT("<m/>")});
        zip_make_end(&z, SPAN_NONE);
        office_check(&t, buf_view(&z.out), "a.odt", paths[k].path,
                     paths[k].findings);
        zip_make_free(&z);
    }
    inspected_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_flat),    cmocka_unit_test(test_binary),
        cmocka_unit_test(test_drawing), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_cuts),    cmocka_unit_test(test_odf_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
