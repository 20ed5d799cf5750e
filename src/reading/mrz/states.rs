//! A zone's code of a state or organisation → whether there is one of that name.
//!
//! Of ISO 3166-1 alpha-3, and those of Doc 9303 part 3, section 5: Germany's own, British ones, organisations, refugees and
//! stateless persons, and Utopia of the specimens.

/// All of them.
const STATES: &str = "\
    ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM \
    BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR \
    CYM CYP CZE D DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH EUE FIN FJI FLK FRA FRO FSM GAB GBD GBN GBO \
    GBP GBR GBS GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IAO IDN IMN \
    IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO \
    LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM \
    NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU \
    RKS ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR \
    TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI UNA UNK UNO URY USA UTO UZB VAT VCT VEN \
    VGB VIR VNM VUT WLF WSM XAA XBA XCC XCE XCO XDC XEC XES XIM XMP XOM XPO XXA XXB XXC XXX YEM ZAF ZMB ZWE";

/// Whether `code`, fillers taken out, is one of them.
pub(super) fn is_known(code: &str) -> bool {
    !code.is_empty() && STATES.split(' ').any(|known| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_known_and_misread_ones_are_not() {
        assert!(["CHN", "D", "UTO", "XXA", "GBR", "ZWE", "ABW"].iter().all(|code| is_known(code)));
        assert!(["", "UTQ", "CH", "C", "D D", "DDD", " "].iter().all(|code| !is_known(code)));
        assert!(STATES.split(' ').all(|code| matches!(code.len(), 1 | 3)) && STATES.split(' ').count() > 270);
    }
}
