#ifndef SPAN25_DISSECTORS_CONTENT_LINKS_H
#define SPAN25_DISSECTORS_CONTENT_LINKS_H
/* links - shortcuts and small files that lead somewhere else
 *
 * Windows shortcuts ([MS-SHLLINK]): the target (item list, local path, share,
 * environment block, relative path) and the arguments are one command.
 *   lnk_command    it names an interpreter or a program that fetches and runs
 *                  (table in links.c), or has an address of the web
 *   unc_target     target, icon, folder or argument on a file server
 * Text files (.url .scf .library-ms .search-ms .iqy .slk .rdp .theme
 * .settingcontent-ms .appinstaller .jnlp desktop.ini .ics .vcf and the like):
 *   unc_target     a value that is a file server
 *   remote_target  a value that is an address of another host; not in .ics and
 *                  .vcf, where addresses are normal
 *   link_command   DeepLink of settings, shell of .rdp, EXEC and CALL of .slk
 * Details are hosts and commands. UTF-16 is narrowed.
 *
 * Limits: LINKS_TEXT bytes of a text file are read, LINKS_VALUES values of it
 * told apart; a string of a shortcut counts up to LINKS_STRING characters. */
#include "dissectors/content/content.h"

#define LINKS_TEXT   (1U << 20)
#define LINKS_VALUES 100000
#define LINKS_STRING 4096

extern const struct inspector links_inspector;

#endif
