"""Streams that no installed library can write, made once from `sample_picture(32, 40, bits)`.

High-throughput JPEG 2000 by OpenJPH and JPEG-LS by CharLS, two codecs unrelated to the ones
that read them here.
"""

from base64 import b85decode

HTJ2K_12 = b85decode(
    "|4;u>04YEK0000e0000W00000000000000e0000W0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0smY86C"
    "j9?kdTm&kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00002@Bjh-lfVEf00#kC_yvJ<0KfnfKmZf"
    "K01<#M{sISd0ODBr0D?3C0Am2a02L4b1!MpL825W{`2d2n0444xNF}NO5P`pz00)x*zyKD+00C>j02M&n^LKYMA(Maih"
    "7B7w@S*fS;JE?%F}MK#XP^8)Nw5;agf>Ay8Gs-I9T%l>y8wYA!9|;tD4VwczyKF@003QN00DJiX@1>i`Cm|=!*g4|>$-"
    "viA*45b`uqO^2TWFd+dkX=cTj)@_DS1XvefThx>hs2diRTrErc;BwE_M6{BQpMK+_s{fjF3Mxqjdu5dJ_AkU|9_gdhX2"
    "SmVb$e`xieY?{69cmb~fr&x6)9fO?4mZ9ko;48@@6pCZR_+V0kz7ulCdxpJSFJPy#pwtYM0l)w+pdbJjyFdUht-!aQJg"
    "pjlK>qhXKLBDWwe{@#K!76Y{Pp$*0E^|izyBW)&}e4v_D4N1uyCsD`&|n-pwzeT-v<IB&vT8u3*KGWi2UZ>I*;o2I}UY"
    "lbo1O=3FjlfsCR023O;hYxWkmd?XNhSsQec4KRn4hu02@yiy5L3J#jpj_eYY>6$DFEHj^-hQbemXB4w7!p)z4BG@&eWx"
    "p;^`2B<+yumAxI3|Jw9l_{VL9JtO9002@500pr?00HIz0PJ`G2Q~3GP-x$)?j8H)j8tDZ9ieK+4xZ&;VTi2Fjk-6ru86"
    "uhy<v=_7e4%(-JN|c_mhG2<xd#|b-HTRsenH7RG@w%1qjPL%{X%jnCcW#z@7G23HyG7K;Qpi@ZNJ+lU=3~Af0ItfcwV<"
    ")A`2>hF#|eUFSg{%2k3svpU6L6!{I~&U0J$Dq$lGcY11-e}s6ysmA?x+mr}b5*6rNo=Ccqo5b`0gN}3FbbDuSPvoz0hx"
    "e<#;d>uFM)@i(4PTGQ`#QUP<Cledv3OE8{yopC3jcxhHpd@cBzgSa&#S-A{<3^Jcvs82rkDi(*#"
)
JPEGLS_12 = b85decode(
    "|JeWc01FTRAOI)<0TBTI_y7$7|Nj6I07C&306_oR00;pA00000pezA_@GKJsV2nEo!T47Y#qwD^&Q~{xF$PbOYBZW%UY"
    "lE}>G13D?e6pN_3^++2LhlB3WA^*A^`%RWCDRu3>64~!XPmb5OEMOQ4lhqOqBvuDUfOjL8v+pKv)3*fgms_R16G&P$~?"
    "V5@AA*3M@#`(H#^+R5VcqQCS9{$g~oG&{Px*2!Vnihyes!3^c(^5la-ZNi5OPL^MIIN*IDr#8MFrK+rHGGz<~~R1yM%W"
    ")QruDOQuVBZ%u!)HxP{QD`)jge3+A1_d$%h!Y^2j$sVSw54e~S}2q%84QU+5hzIr)Cz+l1c^`}&?F?L6Iu1S*VcqWrAm"
    "fFB%vdqqY<IOkp&e&2)UHPV>dTC(I`YJ6sVAdnH>oo2P2{gXo9F{Br@hx9~se6mAMHG3~d<@j)ahEF;q241yEHCcv+t="
    "MQ+5Tq%;!=2%-^?#R!59Lo^jl6f_#>gVO9=sLI`%k`T~HG&CfNPKi*7D2AvkswikQYFJ!~otw2GA)%oZEg1&{i6T^@5y"
    "~Tmp~%pP$B?kIE>v#Rgr<cAk3^#&<aESk2x=CDxh_a7EY6CF(~y*q(Wqgg4G}|8(Uc{lCpBD3T&E-+mSX2b?bwk7h$NI"
    "ikpoDgCq+<_jzW;-sUjjoE_{lLjoOkz7)WDCMx6}_B8Z_8LP@FWT#XSZ_7*<Mof;7#5_BU*5`<~dsnn!WktF3~%6c?Zq"
    "R9DCJ3u6;1cYhP4G>8LYC#%>DAXeoq$TNkQDf}+QbZPjNstK<tcXblk47gWP@x)&RYYW{$&j(~Mv%1-v<+lLkl0Oxmrh"
    "2V8ieVJ>1K4p*jV~V(l(+3KuaPtmR&T|Vq#=T(XgO(qKJtVG4zt8Z8U8GDv6+NOO*GiF%{QIbkq*{W)Uj%sVb#X(P)!U"
    "G`-1kUYMAclI$e9TQX`?aTBkul&ejxGDMn&rOr_aa#Bkqy9uYAy%~0NE|*N!wnU;3s#P(ODK#l{*hzKLol>YZ2QFT(O-"
    "#0wB2@}RGMMa?ip!+BOecte$bv*c#N_Js(slKrQix)qRLWBoBC_eOl5!D2P<0Tokm6I?yqleUe27FTR3r&XD<bD8goG{"
    "7sCAKSl&n%?qO*3SBs36BN?>Y~^^o-^ih?2%h-6l!BcdyIYD!{LLkX%)ROLBOAte&%Ga`{Ji!<j$R8kX?kkHW7rKwAtr"
    "zz`)K`JPSvFT<iD<Y9tl#qskVJb{gr#(+n@c-E"
)
JPEGLS_8 = b85decode(
    "|JeWc01F5JAOI)<0TBTI+5iXv0RR910F@Ubz<M4BA;H)j9)ahWJXs4%5t$z5WyqY;o08<F)R&P&tel*l=`U{o8j@(lwH"
    "dP$+M1@M<h`%T_vn(NtCQ8M+M}w(Otr72s%Gh;eWTI!Bg(h>yt3?(EgB8la$2;2w!eL(`!w~ddbOI_6~F0PTjp)Kt&eV"
    "9>w9b5Ti<<aw>h?-ch#*%YR`D~?A<Hf`Y*~uN^3iI1;6c|S?=Atbg%-qX>U{HcJ0~ss`jU~r+vHa8*N(ZpY1*NcdFi+)"
    "m3P_PW$ZY6J^uxZSL<svq~3Er~6NPxAgNqyQj|g{LA#2PxtNjd-*PPmfyGD>(%O|_gE$WHQ#%z|7XqsD*fHj$G;~z>f8"
    "Tq_x*pFo%{FS<@Mz}sBiB7U(Q}iZ8@M@_viYn<=p2=03G=J`YP|Qb5FPL%IRM&-th8m_I=M=W^Mbc`Q5j-^1ao;IsTvO"
    ">ejDVb^!m`"
)
JPEGLS_NEAR_8 = b85decode(
    "|JeWc01F5JAOI)<0TBTI+5iXv0RRF30JQ2|nSD!}x7?O#U40vKnfEbjT5t7TIsDbW^vb#O)zqB(y0n_3YHd3<eEFYxZC"
    "<TO+tU9hH|BdN&F$Ny`ML9}_TRckr_J`CzWeTfPfxym_uoA}Uv~df|8x7_zdrwZXX~Zr?@oU{bNBbZf9I#~OTRz=JkM^"
    "|@xSw#roQ~U@A`c|+uqHmzdz1b%=_=2|83jvzxkQDKiluW@6#!E`|rMd`OnRJ@4owQI=|kZeLXWjeY>ms{P{axn|<{2="
    "jHyVU%&UK{jY!TpFhs~-~Io7d+p5sZ_AsXzODa%KAwR8*#"
)
