package account

// attempts are how many wrong passwords lock a user out, by the setting's default.
const attempts = 5
