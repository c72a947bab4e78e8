/* Scripts that fetch and run something, in any file of a message.
 *
 * meta: id     stable number, S25-Y and three digits
 *       class  A malicious for certain, B against common policy, C risky
 *       why    what a person should know */

rule powershell_encoded
{
    meta:
        id = "S25-Y001"
        class = "B"
        why = "PowerShell is started with its script in base64, which hides it from whoever reads the command."
    strings:
        $ps = "powershell" nocase
        $arg = /[-\/]e(nc|ncodedcommand|c)?\s{1,8}["']?[A-Za-z0-9+\/]{40}/ nocase
    condition:
        $ps and $arg
}

rule powershell_download_run
{
    meta:
        id = "S25-Y002"
        class = "B"
        why = "PowerShell fetches text from the network and runs it without a file."
    strings:
        $run1 = "Invoke-Expression" nocase
        $run2 = /\bIEX\b/ nocase
        $get1 = "DownloadString(" nocase
        $get2 = "Net.WebClient" nocase
        $get3 = /(Invoke-WebRequest|Invoke-RestMethod|\biwr|\birm)\s{1,8}\S{0,40}https?:/ nocase
    condition:
        any of ($run*) and any of ($get*)
}

rule powershell_amsi_off
{
    meta:
        id = "S25-Y003"
        class = "B"
        why = "The interface through which PowerShell asks the virus scanner is switched off from within."
    strings:
        $a = "AmsiUtils" nocase ascii wide
        $b = "amsiInitFailed" nocase ascii wide
        $c = "AmsiScanBuffer" nocase ascii wide
        $patch = "VirtualProtect" nocase ascii wide
    condition:
        ($a and $b) or ($c and $patch and filesize < 1MB)
}

rule script_dropper
{
    meta:
        id = "S25-Y004"
        class = "B"
        why = "A script for Windows fetches a file, writes it to disk and starts it."
    strings:
        $get1 = "MSXML2.XMLHTTP" nocase
        $get2 = "MSXML2.ServerXMLHTTP" nocase
        $get3 = "WinHttp.WinHttpRequest" nocase
        $write = "ADODB.Stream" nocase
        $save = "SaveToFile" nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $run3 = "ShellExecute" nocase
    condition:
        any of ($get*) and $write and $save and any of ($run*)
}

rule mshta_inline
{
    meta:
        id = "S25-Y005"
        class = "B"
        why = "mshta is given a script or an address instead of a file."
    strings:
        $a = /mshta(\.exe)?["']?\s{1,64}["']?(https?:|javascript:|vbscript:|about:)/ nocase
    condition:
        $a
}

rule regsvr32_scriptlet
{
    meta:
        id = "S25-Y006"
        class = "B"
        why = "regsvr32 loads a scriptlet, which may come from the network, past the rules for programs."
    strings:
        $a = "regsvr32" nocase
        $b = "scrobj" nocase
        $c = /\/i:\S{4,200}/ nocase
    condition:
        all of them
}

rule certutil_fetch
{
    meta:
        id = "S25-Y007"
        class = "B"
        why = "certutil, made for certificates, fetches or decodes a file."
    strings:
        $a = /certutil(\.exe)?["']?\s[^\r\n]{0,80}[-\/](urlcache|verifyctl)[^\r\n]{0,80}(https?|ftp):/ nocase
        $b = /certutil(\.exe)?["']?\s[^\r\n]{0,40}[-\/]decode(hex)?\s/ nocase
    condition:
        any of them
}

rule bitsadmin_fetch
{
    meta:
        id = "S25-Y008"
        class = "B"
        why = "The transfer service of Windows fetches a file for a script."
    strings:
        $a = /bitsadmin(\.exe)?\s[^\r\n]{0,120}\/(transfer|addfile)[^\r\n]{0,120}https?:/ nocase
        $b = /Start-BitsTransfer\s[^\r\n]{0,120}https?:/ nocase
    condition:
        any of them
}

rule reverse_shell
{
    meta:
        id = "S25-Y009"
        class = "B"
        why = "A shell is tied to a connection that leads outward."
    strings:
        $a = /(ba|z|k)?sh\s{1,4}-i\s{0,4}[0-9]?>&?\s{0,4}\/dev\/(tcp|udp)\//
        $b = /\bnc(at)?(\.exe)?\s[^\r\n]{0,60}-e\s{1,4}(\/bin\/|cmd)/ nocase
    condition:
        any of them
}

rule php_shell
{
    meta:
        id = "S25-Y010"
        class = "B"
        why = "PHP that runs whatever a request brings."
    strings:
        $php = "<?php" nocase
        $a = /(eval|assert|system|passthru|shell_exec)\s{0,4}\(\s{0,4}(base64_decode\s{0,4}\(\s{0,4})?\$_(POST|GET|REQUEST|COOKIE)/ nocase
    condition:
        $php and $a
}

rule persistence_run_key
{
    meta:
        id = "S25-Y011"
        class = "C"
        why = "A script enters something into what Windows starts at each logon."
    strings:
        $key = "\\CurrentVersion\\Run" nocase ascii wide
        $a = /reg(\.exe)?\s{1,4}add/ nocase
        $b = "RegWrite" nocase
        $c = "Set-ItemProperty" nocase
    condition:
        $key and any of ($a, $b, $c) and filesize < 1MB
}
