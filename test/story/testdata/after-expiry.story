# What becomes of a server that nobody renews: 15 days of grace, 15 of retention, then it is gone. A renewal in grace
# begins where the paid time ended.

clock     2027-01-31 12:00
customer  cedar-labs
nocoupons                               # so that money alone pays
order     web 1 s3.small.1.linux 1m disk=40
order     other 1 s3.small.1.linux 1m
order     third 1 s3.small.1.linux 1m
pay       web
pay       other
pay       third
resource  web effective 2027-01-31T12:00:00 expires 2027-02-28T23:59:59
ondemand  third on
resource  third policy 1
refused   CBC.99003605 autorenew third off

clock     2027-03-01 00:00
resource  web status 5
resource  other status 5
resource  third status 3                # it has turned pay-per-use
refused   CBC.99003602 autorenew web on
refused   CBC.99003610 ondemand other on

clock     2027-03-10 10:00              # ten days of the new month are eaten
renew     other 1m as again pay
resource  other status 2 expires 2027-03-31T23:59:59

clock     2027-03-16 00:00
resource  web status 4
refused   CBC.99003656 unsubscribe web
clock     2027-03-31 00:00
resource  web status 3
refused   CBC.99003016 renew web 1m as late
check
