/* Documents and pages with a construct that has one use. */

rule msdt_document
{
    meta:
        id = "S25-Y101"
        class = "A"
        why = "The address starts the support tool of Windows with a command in it (CVE-2022-30190)."
    strings:
        $a = "ms-msdt:" nocase ascii wide
        $b = "IT_BrowseForFile" nocase ascii wide
        $c = "PCWDiagnostic" nocase ascii wide
        $d = "IT_RebrowseForFile" nocase ascii wide
        $run = "$(" ascii wide
    condition:
        $a and ($b or $d) and $c and $run
}

rule rtf_equation
{
    meta:
        id = "S25-Y102"
        class = "B"
        why = "RTF with an object of the old equation editor, which Office no longer has since 2018 (CVE-2017-11882)."
    strings:
        $clsid = "02ce020000000000c000000000000046" nocase
        $word = /\\objclass\s{1,4}equation\.[23]/ nocase
        $hex = "4571756174696f6e2e33" nocase
    condition:
        uint32be(0) == 0x7b5c7274 and any of them
}

rule telegram_form
{
    meta:
        id = "S25-Y103"
        class = "B"
        why = "A page asks for a password and sends what is typed to a Telegram bot."
    strings:
        $form = /type\s{0,4}=\s{0,4}["']?password/ nocase
        $bot = /api\.telegram\.org\/bot/ nocase
        $send = /\/send(Message|Document)/ nocase
    condition:
        all of them
}
