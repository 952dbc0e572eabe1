// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The ami-zoo contributors

internal import ZooClient
internal import ZooCore

/// Asks a person on a terminal for consent to a licence; programs give it with `--accept-licence`.
enum LicenceQuestion {
    /// Returns when the person accepts the licence.
    ///
    /// - Parameters:
    ///   - refusal: the error of an action that requires consent.
    ///   - licence: the licence.
    /// - Throws: `refusal` when nobody can be asked, or the answer is not "yes".
    static func ask(_ refusal: ZooError, _ licence: String) throws(ZooError) {
        guard Console.canAsk else { throw refusal }
        Console.note(refusal.message)
        var terms = ""
        if let remedy = refusal.remedy { terms = "\(remedy.prefix { $0 != ";" }). " }
        Console.raw("\(terms)Do you accept '\(licence)'? [y/N] ")
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
            throw refusal
        }
    }
}
